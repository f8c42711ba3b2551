package main

import (
	"context"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/source"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// target returns the profile and the server that arguments mean: a name, a URL, or
// both in either order. For a URL alone the name is chosen, if it is not "", else
// the one that profilename finds.
func target(ctx context.Context, e *call, o *common, from source.Source, chosen string, args []string) (profile, server string, err error) {
	if len(args) == 1 && !strings.ContainsAny(args[0], ":/") { // a host, or a name with a dot
		names, err := from.Profiles(ctx)
		if err != nil {
			return "", "", err
		}
		if slices.Contains(names, args[0]) {
			return args[0], "", nil
		}
	}
	profile, server, err = parseTarget(args)
	if err == nil && profile == "" {
		profile, err = profileFor(ctx, e, o, from, chosen, server)
	}
	return profile, server, err
}

// parseTarget tells names and addresses apart, and checks the address.
func parseTarget(args []string) (profile, server string, err error) {
	profile, server, err = profilename.Split(args)
	if err != nil {
		return "", "", exit.Usage(err)
	}
	if server == "" {
		return profile, "", nil
	}
	if _, err := oauth.CheckURL(server); err != nil {
		return "", "", exit.Usagef("URL: %w", err)
	}
	return profile, server, nil
}

// checkNew refuses names for a new profile that would be taken for something else.
func checkNew(profile string) error {
	if strings.Trim(profile, "0123456789") == "" {
		return exit.Usagef("%q: a name cannot be all digits; use one with a letter: %s", profile, suggest.MCPLogin(loginName, "server-"+profile, "URL"))
	}
	return nil
}
