package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
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
	return profile, server, checkAddress(server)
}

func checkAddress(server string) error {
	if _, err := oauth.CheckURL(server); err != nil {
		return exit.Usage(err)
	}
	return nil
}

// addressed returns the server that an argument names by its URL, or the session of the
// stored profile that it names.
func addressed(ctx context.Context, e *call, o *common, l fromAgent, arg string) (s *mcplogin.Session, server string, err error) {
	_, server, err = parseTarget([]string{arg})
	if err != nil || server != "" && strings.ContainsAny(arg, ":/") {
		return nil, server, err
	}
	from, err := e.source(ctx, o, l, false)
	if err != nil {
		return nil, "", err
	}
	if server != "" || strings.Contains(arg, ":") { // a name can look like a host, or like a URL with a mistake
		names, err := from.Profiles(ctx)
		if err != nil {
			return nil, "", err
		}
		if !slices.Contains(names, arg) {
			return nil, server, checkAddress(cmp.Or(server, arg))
		}
	}
	s, err = e.open(o).Session(from, arg)
	return s, "", err
}

// checkNew refuses names for a new profile that would be taken for something else.
func checkNew(profile string) error {
	if strings.Trim(profile, "0123456789") == "" {
		return exit.Usagef("%q: a name cannot be all digits; use one with a letter: %s", profile, suggest.MCPLogin(loginName, "server-"+profile, "URL"))
	}
	return nil
}
