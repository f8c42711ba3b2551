package access

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

// Target is what the arguments of a command name: a profile, a server, or both.
type Target struct {
	Profile, Server string
	alone           string // the only argument: what looks like a host can be the name of a profile
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
	if _, err := oauth.CheckURL(t.Server); err != nil {
		return t, exit.Usagef("URL: %w", err)
	}
	return t, nil
}

// at returns the target at another URL. What was typed alone has no say in the name
// there.
func (t Target) at(server string) Target {
	if t.alone != "" {
		t.Profile = ""
	}
	return Target{Profile: t.Profile, Server: server}
}

// Resolve returns a target with its profile: for a URL alone the one under which the
// source has it, else one that profilename finds.
func (o Opener) Resolve(ctx context.Context, from source.Source, t Target) (Target, error) {
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

// checkNew refuses names for a new profile that would be taken for something else.
func checkNew(profile string) error {
	if strings.Trim(profile, "0123456789") == "" {
		return exit.Usagef("%q: a name cannot be all digits; use one with a letter: %s", profile, suggest.MCPLogin("login", "server-"+profile, "URL"))
	}
	return nil
}
