package authcode_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
)

// TestAnswerFromElsewhere: the query that another machine received ends a login if
// it is this login's.
func TestAnswerFromElsewhere(t *testing.T) {
	t.Parallel()
	srv, links := newServer(), make(chan string, 1)
	f := &authcode.Flow{
		Open: func(_ context.Context, link string) error { links <- link; return nil },
		Answer: func(context.Context) (string, error) {
			return "code=code-12345&state=" + asked(t, <-links).Get("state"), nil
		},
	}
	token, err := f.Run(t.Context(), srv.request())
	if err != nil || token.Access != "access-1" {
		t.Errorf("%v, %v", token.Access, err)
	}
}

// TestForeignAnswerFromElsewhere: a hostile laptop cannot put in another login's
// code, and one that fails leaves the other ways.
func TestForeignAnswerFromElsewhere(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() (string, error){
		"foreign": func() (string, error) { return "code=evil-12345&state=OTHER", nil },
		"garbage": func() (string, error) { return "%zz", nil },
		"failure": func() (string, error) { return "", errors.New("canceled on the laptop") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer()
			ctx, cancel := context.WithCancelCause(t.Context())
			f := &authcode.Flow{
				Open: func(context.Context, string) error { return nil },
				Answer: func(context.Context) (string, error) {
					query, err := answer()
					defer cancel(flows.ErrExpired) // the login must still be waiting
					return query, err
				},
			}
			if _, err := f.Run(ctx, srv.request()); err == nil || len(srv.exchanges()) != 0 {
				t.Errorf("%v, with %d exchanges", err, len(srv.exchanges()))
			}
		})
	}
}
