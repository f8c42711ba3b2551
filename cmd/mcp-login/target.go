package main

import (
	"context"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// nameOrURL begins the usage of a command that takes either.
const nameOrURL = "NAME|URL"

// target returns the profile and the server that arguments mean: a name, a URL, or
// both in either order. For a URL alone the name is chosen, if it is not "", else
// the one that profilename finds.
func (e *env) target(ctx context.Context, o *common, from source, chosen string, args []string) (profile, server string, err error) {
	if len(args) == 1 && !strings.ContainsAny(args[0], ":/") { // a host, or a name with a dot
		names, err := from.names(ctx)
		if err != nil {
			return "", "", err
		}
		if slices.Contains(names, args[0]) {
			return args[0], "", nil
		}
	}
	profile, server, err = parseTarget(args)
	if err == nil && profile == "" {
		profile, err = e.profileFor(ctx, o, from, chosen, server)
	}
	return profile, server, err
}

// parseTarget tells names and addresses apart. The profile is "" if there is only
// an address, and the server if there is only a name.
func parseTarget(args []string) (profile, server string, err error) {
	server, isURL := profilename.Address(args[0])
	switch {
	case len(args) == 1 && !isURL:
		return args[0], "", nil
	case len(args) == 1:
	case isURL:
		if _, both := profilename.Address(args[1]); both {
			return "", "", usagef("%q and %q are both addresses: use a name and one address", args[0], args[1])
		}
		profile = args[1] // the other way round
	default:
		profile = args[0]
		if server, isURL = profilename.Address(args[1]); !isURL {
			server = args[1]
		}
	}
	if _, err := oauth.CheckURL(server); err != nil {
		return "", "", usagef("URL: %w", err)
	}
	return profile, server, nil
}

// checkNew refuses names for a new profile that would be taken for something else.
func checkNew(profile string) error {
	if strings.Trim(profile, "0123456789") == "" {
		return usagef("%q: a name of digits alone is not allowed, use one with a letter: %s", profile, suggest.MCPLogin(loginName, "server-"+profile, "URL"))
	}
	return nil
}

// profileFor returns the profile of a URL: the one that was named, else the one that
// profilename finds.
func (e *env) profileFor(ctx context.Context, o *common, from source, name, server string) (string, error) {
	if name != "" {
		return name, nil
	}
	names, err := from.names(ctx)
	if err != nil {
		return "", err
	}
	return profilename.For(ctx, server, profilename.Known{Names: names, Server: func(ctx context.Context, name string) string {
		s, err := e.sessionOf(o, from, name)
		if err != nil {
			return ""
		}
		c, err := s.Credential(ctx)
		if err != nil {
			return ""
		}
		return c.Server
	}}), nil
}
