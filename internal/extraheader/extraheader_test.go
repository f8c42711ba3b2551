package extraheader_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/extraheader"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

func reader(loaded *[]string) secretref.Reader {
	return secretref.Reader{
		Getenv: func(name string) string { return map[string]string{"KEY": "from-env"}[name] },
		Stderr: new(strings.Builder),
		Loaded: func(secret string) { *loaded = append(*loaded, secret) },
	}
}

// TestHeaders: every source sets a header, which is sent only to the server's own
// origin, and each value is registered as a secret.
func TestHeaders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var loaded []string
	h, err := extraheader.Read(t.Context(), []string{"x-team: blue", "X-Key:Key ${KEY}"}, []string{"X-File=file:" + file, "X-Env=env:KEY", "X-Command=command:echo from-command"}, reader(&loaded))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(loaded, ","); got != "blue,from-env,Key from-env,from-file,from-env,from-command" {
		t.Errorf("hidden: %s", got)
	}
	if text := fmt.Sprintf("%v %+v", h, h); strings.Contains(text, "from-") || strings.Contains(text, "blue") {
		t.Errorf("it is printed as %s", text)
	}
	var got http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer srv.Close()
	get := func(server string) http.Header {
		t.Helper()
		resp, err := (&http.Client{Transport: h.Around(http.DefaultTransport, server)}).Get(srv.URL + "/mcp")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return got
	}
	own := get(srv.URL + "/other")
	for name, want := range map[string]string{"X-Team": "blue", "X-Key": "Key from-env", "X-File": "from-file", "X-Env": "from-env", "X-Command": "from-command"} {
		if own.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, own.Get(name), want)
		}
	}
	for _, other := range []string{"https://mcp.example.com/mcp", strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), strings.Replace(srv.URL, "http:", "https:", 1)} {
		if get(other).Get("X-Team") != "" {
			t.Errorf("the headers for %s are sent to %s", other, srv.URL)
		}
	}
}

// TestRedirect: the headers are not sent to another origin after a redirect.
func TestRedirect(t *testing.T) {
	var loaded []string
	h, err := extraheader.Read(t.Context(), []string{"X-Team: blue"}, nil, reader(&loaded))
	if err != nil {
		t.Fatal(err)
	}
	leaked := "nobody came"
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = r.Header.Get("X-Team") }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	resp, err := (&http.Client{Transport: h.Around(http.DefaultTransport, srv.URL)}).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if leaked != "" {
		t.Errorf("the other origin got %q", leaked)
	}
}

// TestUnusable: a header that cannot be added is reported by its name, never with
// its value, and a command for it does not run.
func TestUnusable(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	for _, tt := range []struct{ typed, source, want string }{
		{typed: "s3cret-value", want: "'Name: value'"},
		{typed: "s3cret value: x", want: "'Name: value'"},
		{typed: "X-A: s3cret\r\nX-B: c", want: "X-A: its value"},
		{typed: "X-A:", want: "X-A: its value"},
		{typed: "X-A: s3cret ${MISSING}", want: "MISSING is not set"},
		{typed: "Authorization: Bearer s3cret", want: "the token of the sign-in"},
		{typed: "mcp-session-id: s3cret", want: "the MCP transport"},
		{typed: "Host: s3cret", want: "describes the message"},
		{typed: "transfer-encoding: s3cret", want: "next hop"},
		{source: "s3cret", want: "NAME=SOURCE"},
		{source: "X-A=s3cret", want: "not the secret itself"},
		{source: "X-A=prompt", want: "use file:PATH, env:NAME or command:LINE"},
		{source: "X-A=env:MISSING", want: "X-A"},
		{source: "Authorization=command:touch " + ran, want: "the token of the sign-in"},
	} {
		var loaded, typed, sources []string
		if tt.typed != "" {
			typed = []string{tt.typed}
		} else {
			sources = []string{tt.source}
		}
		_, err := extraheader.Read(t.Context(), typed, sources, reader(&loaded))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s%s: %v, want %q", tt.typed, tt.source, err, tt.want)
		}
	}
	if _, err := os.Stat(ran); !errors.Is(err, os.ErrNotExist) {
		t.Error("the command for a header that cannot be added ran")
	}
	if _, err := extraheader.Read(t.Context(), []string{"X-A: b", "x-a: c"}, nil, reader(new([]string))); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("twice: %v", err)
	}
}
