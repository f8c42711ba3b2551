//go:build e2e

package e2e

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/secretstest"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// TestVaultStore runs the contract of all stores, and the probe, with the minimal
// policy.
func TestVaultStore(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	const prefix = "team/mcp-login"
	token := v.token(t, vault.Policy("secret", prefix))
	open := func(t *testing.T) *vault.Store {
		return v.store(t, vault.Config{Client: v.client(t, token), Prefix: prefix, Lease: 2 * time.Second})
	}
	secretstest.TestStore(t, func(t *testing.T) secrets.Store { return open(t) })
	if err := open(t).Probe(t.Context()); err != nil {
		t.Errorf("Probe: %v", err)
	}
	if names, err := open(t).List(t.Context()); len(names) > 0 || err != nil {
		t.Errorf("the probe left the records %q, %v", names, err)
	}
}

// TestVaultPolicyIsMinimal removes each capability in turn. The probe must fail, and
// its error must name the missing line.
func TestVaultPolicyIsMinimal(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	whole := vault.Policy("secret", "p")
	for line := range strings.Lines(whole) {
		line = strings.TrimSpace(line)
		for _, capability := range []string{`"create"`, `"read"`, `"update"`, `"delete"`, `"list"`} {
			if !strings.Contains(line, capability) {
				continue
			}
			t.Run(capability, func(t *testing.T) {
				less := strings.Replace(line, capability, `"deny-nothing"`, 1)
				less = strings.NewReplacer(`"deny-nothing", `, "", `, "deny-nothing"`, "").Replace(less)
				policy := strings.Replace(whole, line, less, 1)
				s := v.store(t, vault.Config{Client: v.client(t, v.token(t, policy)), Prefix: "p", Lease: 500 * time.Millisecond})
				err := s.Probe(t.Context())
				if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), line) {
					t.Errorf("Probe without %s = %v, want ErrUnavailable with %s", capability, err, line)
				}
			})
		}
	}
}

// TestVaultKeepsNoOldVersion writes several times on a mount that keeps ten versions,
// and counts the versions that are left.
func TestVaultKeepsNoOldVersion(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	s := v.store(t, vault.Config{})
	version := secrets.Absent
	for _, data := range []string{"one", "two", "three"} {
		version = mustPut(t, s, "a", data, version)
	}
	kv := v.client(t, v.root).KVv2("secret")
	if n := readable(t, kv, "mcp-login/a"); n != 1 {
		t.Errorf("%d versions can be read, want only the last", n)
	}

	// Another user raises max_versions. The next write lowers it again.
	v.write(t, "secret/metadata/mcp-login/a", map[string]any{"max_versions": 10})
	version = mustPut(t, s, "a", "four", version)
	if n := readable(t, kv, "mcp-login/a"); n != 1 {
		t.Errorf("%d versions can be read after max_versions was changed, want 1", n)
	}

	if err := s.Delete(t.Context(), "a", version); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.GetMetadata(t.Context(), "mcp-login/a"); !errors.Is(err, api.ErrSecretNotFound) {
		t.Errorf("metadata after Delete: %v, want ErrSecretNotFound", err)
	}
}

// readable counts the versions whose data Vault still returns.
func readable(t *testing.T, kv *api.KVv2, path string) (n int) {
	t.Helper()
	for version := range 20 {
		secret, err := kv.GetVersion(t.Context(), path, version+1)
		if err == nil && secret.Data != nil {
			n++
		}
	}
	return n
}

// TestVaultRecordDeletedManually: a record that was deleted with "vault kv delete" is
// not restored by a refresh, but replaced by a sign-in.
func TestVaultRecordDeletedManually(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	s := v.store(t, vault.Config{})
	version := mustPut(t, s, "a", "one", secrets.Absent)
	if err := v.client(t, v.root).KVv2("secret").Delete(t.Context(), "mcp-login/a"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if _, err := s.Put(t.Context(), "a", []byte("two"), version); !errors.Is(err, secrets.ErrConflict) {
		t.Errorf("Put over a deleted version = %v, want ErrConflict", err)
	}
	mustPut(t, s, "a", "three", secrets.Absent)
	if data, _, err := s.Get(t.Context(), "a"); string(data) != "three" || err != nil {
		t.Errorf("Get = %q, %v, want the new record", data, err)
	}
}

// TestVaultLeavesForeignRecords: a write with check-and-set does not change a record of
// another program or of a newer version.
func TestVaultLeavesForeignRecords(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	s := v.store(t, vault.Config{})
	for name, tt := range map[string]struct {
		data map[string]any
		want error
	}{
		"newer":   {map[string]any{"format": 2, "write": "x", "record": "whatever"}, secrets.ErrUndecryptable},
		"newest":  {map[string]any{"format": 2, "write": "x"}, secrets.ErrUnavailable},
		"foreign": {map[string]any{"password": "hunter2"}, secrets.ErrUndecryptable},
		"damaged": {map[string]any{"format": 1, "write": "x", "record": []string{"%%%"}}, secrets.ErrUndecryptable},
	} {
		t.Run(name, func(t *testing.T) {
			v.write(t, "secret/data/mcp-login/"+name, map[string]any{"data": tt.data})
			if _, _, err := s.Get(t.Context(), name); !errors.Is(err, tt.want) {
				t.Errorf("Get = %v, want %v", err, tt.want)
			}
			if _, err := s.Put(t.Context(), name, nil, secrets.Absent); err == nil {
				t.Error("Put over it succeeded")
			}
			secret, err := v.client(t, v.root).KVv2("secret").Get(t.Context(), "mcp-login/"+name)
			if err != nil || secret.VersionMetadata.Version != 1 {
				t.Errorf("the record was changed: %+v, %v", secret, err)
			}
		})
	}
}

// TestVaultReadIsOneRequest counts the requests that reach Vault.
func TestVaultReadIsOneRequest(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	mustPut(t, v.store(t, vault.Config{}), "a", "one", secrets.Absent)
	to, err := url.Parse(v.addr)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int32
	proxy := duplex(httputil.NewSingleHostReverseProxy(to))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	defer server.Close()
	through := &vaultServer{addr: server.URL, root: v.root}
	if _, _, err := through.store(t, vault.Config{}).Get(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("the first read of a process took %d requests, want 1", n)
	}
}

// TestVaultTLS: a server with a private CA is trusted if the CA is configured.
// Otherwise, the error shows how to configure it.
func TestVaultTLS(t *testing.T) {
	t.Parallel()
	plain := startVault(t)
	v := startVault(t, "-dev-tls", certDir+t.TempDir())
	for _, tt := range []struct {
		name, addr, ca, want string
		kind                 error
	}{
		{"trusted", v.addr, v.ca, "", nil},
		{"unknown CA", v.addr, "", "VAULT_CACERT", secrets.ErrUnavailable},
		{"http to TLS", "http" + strings.TrimPrefix(v.addr, "https"), "", "https://", secrets.ErrUnavailable},
		{"TLS to http", "https" + strings.TrimPrefix(plain.addr, "http"), "", "http://", secrets.ErrUnavailable},
		{"no listener", "http://127.0.0.1:1", "", "127.0.0.1:1", secrets.ErrTemporary},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := (&vaultServer{addr: tt.addr, ca: tt.ca}).newClient(v.root)
			if err != nil {
				t.Fatal(err)
			}
			c.SetMaxRetries(0)
			err = v.store(t, vault.Config{Client: c}).Probe(t.Context())
			if !errors.Is(err, tt.kind) || tt.kind != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Probe = %v, want %v with %q", err, tt.kind, tt.want)
			}
		})
	}
}

// TestVaultMounts: errors name what is wrong with the path.
func TestVaultMounts(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	v.write(t, "sys/mounts/team/kv", map[string]any{"type": "kv", "options": map[string]any{"version": "2"}})
	v.write(t, "sys/mounts/transit", map[string]any{"type": "transit"})
	for _, tt := range []struct{ mount, want string }{
		{"team/kv", ""},
		{"team", "no mount team/"},
		{"transit", "not kv"},
		{"none", "no mount none/"},
	} {
		t.Run(tt.mount, func(t *testing.T) {
			_, _, err := v.store(t, vault.Config{Mount: tt.mount}).Get(t.Context(), "a")
			if tt.want == "" {
				if !errors.Is(err, secrets.ErrNotFound) {
					t.Errorf("Get = %v, want ErrNotFound", err)
				}
				return
			}
			if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Get = %v, want ErrUnavailable with %q", err, tt.want)
			}
		})
	}
}

// TestVaultSealed: only an operator with the key can unseal Vault, so the error is not
// temporary.
func TestVaultSealed(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	s := v.fastRetryStore(t)
	version := mustPut(t, s, "a", "one", secrets.Absent)
	if err := v.client(t, v.root).Sys().SealWithContext(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	_, _, getErr := s.Get(t.Context(), "a")
	_, putErr := s.Put(t.Context(), "a", nil, version)
	_, lockErr := s.Lock(t.Context(), "a")
	for method, err := range map[string]error{"Get": getErr, "Put": putErr, "Lock": lockErr} {
		if !errors.Is(err, secrets.ErrUnavailable) || errors.Is(err, secrets.ErrTemporary) || !strings.Contains(err.Error(), "sealed") {
			t.Errorf("%s = %v, want ErrUnavailable that names sealed", method, err)
		}
	}
}
