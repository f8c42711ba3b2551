package main

import (
	"context"

	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// serveProxy serves HTTP until ctx ends.
func serveProxy(ctx context.Context, opener access.Opener, o *proxyOptions, up proxy.Upstream) error {
	local, err := proxy.OpenLocal(o.listen)
	if err != nil {
		return err
	}
	defer local.Close() // again if it was served
	given, where := "", ""
	if o.tokenFrom != "" && !local.Private {
		if given, err = opener.Secret(ctx, o.tokenFrom, "token for clients"); err != nil {
			return err
		}
	}
	h := proxy.HTTP{Upstream: up}
	if h.Token, where, err = local.Token(given, o.tokenFrom); err != nil {
		return err
	}
	opener.Streams.Say("%s at %s", up.Server, where)
	return h.Serve(ctx, local)
}
