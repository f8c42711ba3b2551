package source

import (
	"context"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/profilename"
)

// ProfileOf returns the name of the profile for a server: that under which the source
// has it, else one that profilename finds. Open opens a session of a profile.
func (s Source) ProfileOf(ctx context.Context, server string, open func(name string) (*mcplogin.Session, error)) (string, error) {
	names, err := s.Profiles(ctx)
	if err != nil {
		return "", err
	}
	return profilename.For(ctx, server, profilename.Known{Names: names, Server: func(ctx context.Context, name string) string {
		s, err := open(name)
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
