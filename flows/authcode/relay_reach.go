package authcode

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// Reach checks that the relay can be reached and used by a login. It opens no
// session, so it does not detect an invalid client token.
func (f *Relay) Reach(ctx context.Context) error {
	redirect, err := f.redirect()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, relayOpenTimeout)
	defer cancel()
	var is struct {
		RedirectURI   string `json:"redirect_uri"`
		TokenRequired bool   `json:"client_token_required"`
	}
	c := relayClient{http: f.HTTP, base: strings.TrimSuffix(redirect, "/callback")}
	_, err = c.do(ctx, http.MethodGet, "/v1/relay", "", nil, &is)
	switch {
	case err != nil:
		return err
	case is.RedirectURI != redirect:
		return fmt.Errorf("%s is not a relay, or its base URL is different: its redirect URI is %q", c.base, oauth.Sanitize(is.RedirectURI, 200))
	case is.TokenRequired && f.Token == nil:
		return fmt.Errorf("%s requires a client token, and none is configured", c.base)
	}
	return nil
}

// Tried calls [Relay.Reach] and returns a flow whose Check fails if the relay cannot be
// used.
func (f *Relay) Tried(ctx context.Context) flows.Flow { return triedRelay{f, f.Reach(ctx)} }

type triedRelay struct {
	*Relay
	err error
}

func (r triedRelay) Check(s oauth.Server) error {
	if err := r.Relay.Check(s); err != nil || r.err == nil {
		return err
	}
	return fmt.Errorf("%w: %w", flows.ErrUnsupported, r.err)
}
