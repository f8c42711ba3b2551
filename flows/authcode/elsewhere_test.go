package authcode_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
)

// laptop is a browser on another machine.
type laptop struct {
	taken      int // a port that is in use there
	reserveErr error
	fail       error
	answer     func(link url.Values) (string, error)
	link       string
	ports      []int
	closed     int
}

func (l *laptop) Reserve(_ context.Context, _ string, port int) (int, error) {
	l.ports = append(l.ports, port)
	switch {
	case l.reserveErr != nil:
		return 0, l.reserveErr
	case port != 0 && port == l.taken:
		return 0, fmt.Errorf("there: %w", syscall.EADDRINUSE)
	case port != 0:
		return port, nil
	}
	return 40001, nil
}

func (l *laptop) Open(_ context.Context, link string) error { l.link = link; return l.fail }

func (l *laptop) Answer(ctx context.Context) (string, error) {
	u, err := url.Parse(l.link)
	if err != nil {
		return "", err
	}
	return l.answer(u.Query())
}

func (l *laptop) Close() error { l.closed++; return nil }

// TestLaptopBrowser: the port is one on the other machine, known before the request is
// made, and the query received there completes the login.
func TestLaptopBrowser(t *testing.T) {
	t.Parallel()
	srv := newServer()
	l := &laptop{answer: func(link url.Values) (string, error) {
		return "code=code-12345&state=" + link.Get("state"), nil
	}}
	f := &authcode.Flow{Remote: l}
	m, err := f.Metadata()
	if err != nil || !slices.Equal(m.RedirectURIs, []string{"http://127.0.0.1:40001/callback"}) {
		t.Fatalf("%v, %v", m.RedirectURIs, err)
	}
	token, err := f.Run(t.Context(), srv.request())
	if err != nil || token.Access != "access-1" {
		t.Errorf("%v, %v", token.Access, err)
	}
	if got := requestParams(t, l.link).Get("redirect_uri"); got != m.RedirectURIs[0] || f.Name() != "browser" {
		t.Errorf("redirect URI %s of flow %s", got, f.Name())
	}
	if len(l.ports) != 1 || l.closed == 0 {
		t.Errorf("reserved %v, closed %d times", l.ports, l.closed)
	}
}

// TestLaptopPortInUse: the registered port is tried first, then any other.
func TestLaptopPortInUse(t *testing.T) {
	t.Parallel()
	srv := newServer()
	l := &laptop{taken: 50001, answer: func(link url.Values) (string, error) {
		return "code=code-12345&state=" + link.Get("state"), nil
	}}
	f := &authcode.Flow{Remote: l}
	r := srv.request()
	r.Client.App.RedirectURIs = []string{"http://127.0.0.1:50001/callback"}
	if _, err := f.Run(t.Context(), r); err != nil || !slices.Equal(l.ports, []int{50001, 0}) {
		t.Errorf("asked for %v, %v", l.ports, err)
	}
}

// TestLaptopBrowserFallsBack: if the other machine disconnects or is hostile, the next flow
// runs, and no code is exchanged. If the user declines, the login ends.
func TestLaptopBrowserFallsBack(t *testing.T) {
	t.Parallel()
	disconnected := errors.New("lost")
	for _, tt := range []struct {
		name   string
		laptop laptop
		want   error
	}{
		{"during Reserve", laptop{reserveErr: disconnected}, flows.ErrUnsupported},
		{"during Open", laptop{fail: disconnected}, flows.ErrUnsupported},
		{"during Answer", laptop{answer: func(url.Values) (string, error) { return "", disconnected }}, flows.ErrUnsupported},
		{"foreign", laptop{answer: func(url.Values) (string, error) { return "code=evil-12345&state=OTHER", nil }}, flows.ErrUnsupported},
		{"garbage", laptop{answer: func(url.Values) (string, error) { return "%zz-12345", nil }}, flows.ErrUnsupported},
		{"canceled", laptop{answer: func(url.Values) (string, error) { return "", flows.ErrDenied }}, flows.ErrDenied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := newServer()
			f := &authcode.Flow{Remote: &tt.laptop}
			_, err := f.Run(t.Context(), srv.request())
			if !errors.Is(err, tt.want) || strings.Contains(err.Error(), "12345") || len(srv.exchanges()) != 0 {
				t.Errorf("%v, with %d exchanges", err, len(srv.exchanges()))
			}
		})
	}
}
