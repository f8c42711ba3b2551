package access

import (
	"cmp"
	"context"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// Target is what the arguments of a command name: a profile, a server, or both.
type Target struct {
	Profile, Server string
	alone           string // the only argument: a text that looks like a host can be the name of a profile
}

// ParseTarget reads the arguments, a name, a URL, or both in either order, and checks the
// URL.
func ParseTarget(args []string) (t Target, err error) {
	if t.Profile, t.Server, err = profilename.Split(args); err != nil {
		return t, exit.Usage(err)
	}
	if len(args) == 1 {
		t.alone = args[0]
	}
	if t.Server == "" {
		return t, nil
	}
	return t, checkAddress(t.Server)
}

func checkAddress(server string) error {
	if _, err := oauth.CheckURL(server); err != nil {
		return exit.Usage(err)
	}
	return nil
}

// Addressed returns the server that an argument names by its URL, or the session of the
// stored profile that it names, with the agent at a socket, or the store if the socket is
// "".
func (o Opener) Addressed(ctx context.Context, socket, arg string) (s *mcplogin.Session, server string, err error) {
	t, err := ParseTarget([]string{arg})
	if err != nil || t.Server != "" && strings.ContainsAny(arg, ":/") {
		return nil, t.Server, err
	}
	from, err := o.Source(ctx, socket, false)
	if err != nil {
		return nil, "", err
	}
	if t.Server != "" || strings.Contains(arg, ":") { // a name can look like a host, or like a URL with a mistake
		names, err := from.Profiles(ctx)
		if err != nil {
			return nil, "", err
		}
		if !slices.Contains(names, arg) {
			return nil, t.Server, checkAddress(cmp.Or(t.Server, arg))
		}
	}
	s, err = o.Session(from, arg)
	return s, "", err
}

// at returns the target at another URL. A single argument does not determine the
// name there.
func (t Target) at(server string) Target {
	if t.alone != "" {
		t.Profile = ""
	}
	return Target{Profile: t.Profile, Server: server}
}

// Resolve returns a target with its profile: for a URL alone the one under which the
// source has it, else one that profilename finds.
func (o Opener) Resolve(ctx context.Context, from Source, t Target) (Target, error) {
	if t.Profile != "" {
		return t, nil
	}
	names, err := from.Profiles(ctx)
	if err != nil {
		return t, err
	}
	if slices.Contains(names, t.alone) {
		t.Profile, t.Server = t.alone, ""
		return t, nil
	}
	t.Profile = profilename.For(ctx, t.Server, profilename.Known{Names: names, Server: func(ctx context.Context, name string) string {
		s, err := o.Session(from, name)
		if err != nil {
			return ""
		}
		c, err := s.Credential(ctx)
		if err != nil {
			return ""
		}
		return c.Server
	}})
	return t, nil
}

// checkNew rejects ambiguous names for a new profile.
func checkNew(profile string) error {
	if ascii.Only(profile, ascii.Digit) {
		return exit.Usagef("%q: a name cannot be all digits; use one with a letter: %s", profile, suggest.MCPLogin("login", "server-"+profile, "URL"))
	}
	return nil
}
