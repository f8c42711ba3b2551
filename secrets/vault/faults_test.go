package vault_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// TestErrorResponses: the meaning of responses.
func TestErrorResponses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   error
		text   string
	}{
		{"sealed", 503, `{"errors":["Vault is sealed"]}`, secrets.ErrUnavailable, "sealed"},
		{"overloaded", 503, `<html>` + strings.Repeat("x", 1000), secrets.ErrTemporary, "503"},
		{"standby without an active node", 500, `{"errors":["local node not active but active cluster node not found"]}`, secrets.ErrTemporary, "not active"},
		{"bad gateway", 502, `{}`, secrets.ErrTemporary, "502"},
		{"quota", 429, `{"errors":["request path \"x\": rate limit quota exceeded"]}`, secrets.ErrTemporary, "quota"},
		{"replica behind", 412, `{"errors":["required index state not present"]}`, secrets.ErrTemporary, "412"},
		{"disaster recovery standby", 472, `{"errors":[]}`, secrets.ErrTemporary, "472"},
		{"not initialized", 501, `{"errors":["Vault is not initialized"]}`, secrets.ErrUnavailable, "not initialized"},
		{"mount is being upgraded", 400, `{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly."]}`, secrets.ErrTemporary, "Upgrading"},
		{"no policy", 403, `{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`, secrets.ErrUnavailable, `path "secret/data/p/*" { capabilities = ["create", "read", "update"] }`},
		{"token expired", 403, `{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}`, secrets.ErrUnavailable, "invalid or has expired"},
		{"token in the error", 400, `{"errors":["bad token ` + token + `"]}`, secrets.ErrUnavailable, "[redacted]"},
		{"something else", 404, `<html>not found</html>`, secrets.ErrUnavailable, "no answer from vault"},
		{"something else responds with 200", 200, `<html>welcome</html>`, secrets.ErrUnavailable, "no answer from vault"},
		{"no version in the response", 200, `{"data":{"data":{}}}`, secrets.ErrUnavailable, "no answer from vault"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &fakeVault{}
			d.fault = func(r *http.Request, _ func() *http.Response) (*http.Response, error) {
				return &http.Response{StatusCode: tt.status, Request: r, Body: io.NopCloser(strings.NewReader(tt.body)), Header: http.Header{}}, nil
			}
			_, _, err := d.open(t, vault.Config{}).Get(t.Context(), "a")
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Get = %v, want %v with %q", err, tt.want, tt.text)
			}
			if text := err.Error(); strings.Contains(text, token) || strings.ContainsAny(text, "\n\t") || len(text) > 500 {
				t.Errorf("text of the error: %q", text)
			}
		})
	}
}

// TestNetworkFaults: faults that prevent a response.
func TestNetworkFaults(t *testing.T) {
	for name, fault := range map[string]error{
		"refused":   &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
		"cut":       io.ErrUnexpectedEOF,
		"name":      &net.DNSError{Err: "no such host", Name: "vault.example"},
		"too slow":  context.DeadlineExceeded, // the client's own timeout
		"with port": errors.New("proxyconnect tcp: no route"),
	} {
		t.Run(name, func(t *testing.T) {
			d := &fakeVault{fault: func(*http.Request, func() *http.Response) (*http.Response, error) { return nil, fault }}
			_, _, err := d.open(t, vault.Config{}).Get(t.Context(), "a")
			if !errors.Is(err, secrets.ErrTemporary) || !strings.Contains(err.Error(), "https://vault.example") {
				t.Errorf("Get = %v, want ErrTemporary with the address", err)
			}
		})
	}
}

// TestLostResponses loses the response of one request after another. Each operation
// that was reported as done is done exactly once.
func TestLostResponses(t *testing.T) {
	for nth := range 12 {
		n := 0
		d := &fakeVault{}
		d.fault = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
			if n++; n == nth+1 {
				serve()
				return nil, io.ErrUnexpectedEOF
			}
			return serve(), nil
		}
		s := d.open(t, vault.Config{})
		v1, err := s.Put(t.Context(), "a", []byte("one"), secrets.Absent)
		if err != nil {
			t.Fatalf("response %d lost: create: %v", nth+1, err)
		}
		v2, err := s.Put(t.Context(), "a", []byte("two"), v1)
		if err != nil {
			t.Fatalf("response %d lost: replace: %v", nth+1, err)
		}
		if _, err := s.Put(t.Context(), "a", []byte("three"), v1); !errors.Is(err, secrets.ErrConflict) {
			t.Errorf("response %d lost: Put over another version = %v, want ErrConflict", nth+1, err)
		}
		unlock, err := s.Lock(t.Context(), "a")
		if err != nil {
			t.Fatalf("response %d lost: Lock: %v", nth+1, err)
		}
		unlock()
		if err := s.Delete(t.Context(), "a", v2); err != nil {
			t.Errorf("response %d lost: Delete: %v", nth+1, err)
		}
		if _, _, err := s.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("response %d lost: Get = %v, want ErrNotFound", nth+1, err)
		}
	}
}

// TestDelayedWriteIsDetected: if it is unknown whether the write arrived, the error is
// temporary, and a retry with the same version finds out.
func TestDelayedWriteIsDetected(t *testing.T) {
	d := &fakeVault{}
	s := d.open(t, vault.Config{})
	v1, err := s.Put(t.Context(), "a", []byte("one"), secrets.Absent)
	if err != nil {
		t.Fatal(err)
	}
	var delayed func() *http.Response
	d.fault = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
		if r.Method == http.MethodPut {
			if delayed == nil {
				delayed = serve
			}
			return nil, io.ErrUnexpectedEOF
		}
		return serve(), nil
	}
	if _, err := s.Put(t.Context(), "a", []byte("two"), v1); !errors.Is(err, secrets.ErrTemporary) {
		t.Fatalf("Put = %v, want ErrTemporary", err)
	}
	d.fault = nil
	v2, err := s.Put(t.Context(), "a", []byte("second try"), v1)
	if err != nil {
		t.Fatal(err)
	}
	delayed() // arrives late
	if data, v, err := s.Get(t.Context(), "a"); string(data) != "second try" || v != v2 || err != nil {
		t.Errorf("Get = %q, %q, %v: the late request overwrote the record", data, v, err)
	}
}

// TestRemovalIsNotRepeatedBlindly: when the response to a removal is lost, the path
// may be in use again before a retry.
func TestRemovalIsNotRepeatedBlindly(t *testing.T) {
	d := &fakeVault{}
	s, other := d.open(t, vault.Config{}), d.open(t, vault.Config{})
	v, err := s.Put(t.Context(), "a", []byte("old"), secrets.Absent)
	if err != nil {
		t.Fatal(err)
	}
	d.fault = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
		resp := serve()
		if r.Method != http.MethodDelete {
			return resp, nil
		}
		d.fault = nil
		if _, err := other.Put(context.Background(), "a", []byte("new"), secrets.Absent); err != nil {
			t.Errorf("Put: %v", err)
		}
		return nil, io.ErrUnexpectedEOF
	}
	if err := s.Delete(t.Context(), "a", v); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if data, _, err := s.Get(t.Context(), "a"); string(data) != "new" || err != nil {
		t.Errorf("Get = %q, %v, want the record that came after", data, err)
	}
}

// TestKubernetesLogin tests the request of the Kubernetes method with a fake,
// because Vault would contact a cluster.
func TestKubernetesLogin(t *testing.T) {
	d := &fakeVault{}
	var sent string
	d.fault = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
		if r.URL.Path != "/v1/auth/kubernetes/login" {
			if got := r.Header.Get("X-Vault-Token"); got != "from the login" {
				t.Errorf("request with token %q", got)
			}
			return serve(), nil
		}
		body, err := io.ReadAll(r.Body)
		sent = string(body)
		return answer(r, http.StatusOK, map[string]any{"auth": map[string]any{"client_token": "from the login", "lease_duration": 60}}), err
	}
	account := func(context.Context) (string, error) { return "a.service.account", nil }
	s := d.open(t, vault.Config{Auth: &vault.JWT{Mount: "kubernetes", Role: "box", Token: account}})
	if _, _, err := s.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if want := `{"jwt":"a.service.account","role":"box"}`; sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
}

// TestLoginFails: the error of a failed token source is permanent, unless the
// source says that it is temporary.
func TestLoginFails(t *testing.T) {
	for _, want := range []error{secrets.ErrUnavailable, secrets.ErrTemporary} {
		cause := errors.New("no such file")
		if want == secrets.ErrTemporary {
			cause = want
		}
		d := &fakeVault{}
		var auth api.AuthMethod = &vault.AppRole{SecretID: func(context.Context) (string, error) { return "", cause }}
		_, _, err := d.open(t, vault.Config{Auth: auth}).Get(t.Context(), "a")
		if !errors.Is(err, want) || !errors.Is(err, cause) {
			t.Errorf("Get = %v, want %v", err, want)
		}
	}
}
