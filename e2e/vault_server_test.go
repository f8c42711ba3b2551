//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// vaultServer is a real Vault on this machine.
type vaultServer struct {
	addr string
	root string
	ca   string // path of the CA certificate; "": the system's
}

// certDir is Vault's flag for the folder to which it writes its certificates.
const certDir = "-dev-tls-cert-dir="

// startVault starts a development server: in memory, unsealed, with KV version 2 at
// secret/.
func startVault(t testing.TB, args ...string) *vaultServer {
	t.Helper()
	port := freePorts(t)
	v := &vaultServer{addr: fmt.Sprintf("http://127.0.0.1:%d", port), root: "root-" + rand.Text()}
	if i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, certDir) }); i >= 0 {
		v.addr = "https" + strings.TrimPrefix(v.addr, "http")
		v.ca = filepath.Join(strings.TrimPrefix(args[i], certDir), "vault-ca.pem")
	}
	args = append([]string{"server", "-dev", "-dev-no-store-token", "-dev-root-token-id=" + v.root,
		fmt.Sprintf("-dev-listen-address=127.0.0.1:%d", port)}, args...)
	runVault(t, args...)
	v.await(t)
	return v
}

// runVault runs Vault until the test ends or stop is called.
func runVault(t testing.TB, args ...string) (stop func()) {
	t.Helper()
	binary, err := provide("vault")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	log, err := os.Create(filepath.Join(home, "vault.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start vault: %v", err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait() // the error is the kill signal
		log.Close()
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("Vault's log: %s", text[max(0, len(text)-2000):])
		}
	})
	return stop
}

// client returns a client of Vault's API with a token.
func (v *vaultServer) client(t testing.TB, token string) *api.Client {
	t.Helper()
	c, err := v.newClient(token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (v *vaultServer) newClient(token string) (*api.Client, error) {
	config := api.DefaultConfig()
	config.Address = v.addr
	if v.ca != "" {
		if err := config.ConfigureTLS(&api.TLSConfig{CACert: v.ca}); err != nil {
			return nil, err
		}
	}
	c, err := api.NewClient(config)
	if err == nil {
		c.SetToken(token)
	}
	return c, err
}

// await waits until the server is active and its KV mount is ready.
func (v *vaultServer) await(t testing.TB) {
	t.Helper()
	var err error
	if !await.Until(func() bool {
		var c *api.Client
		if c, err = v.newClient(v.root); err == nil { // a new client, because the CA file may not exist at first
			c.SetMaxRetries(0)
			_, err = c.Logical().List("secret/metadata")
		}
		return err == nil
	}) {
		t.Fatalf("vault does not get ready: %v", err)
	}
}

// lookUp returns the properties of a token, or nil if it is no longer valid.
func (v *vaultServer) lookUp(token string) map[string]any {
	c, err := v.newClient(token)
	if err != nil {
		return nil
	}
	self, err := c.Auth().Token().LookupSelf()
	if err != nil {
		return nil
	}
	return self.Data
}

// renewed reports whether a token was renewed and is still valid.
func (v *vaultServer) renewed(token string) bool { return v.lookUp(token)["last_renewal"] != nil }

// write sends a request with the root token.
func (v *vaultServer) write(t testing.TB, path string, body map[string]any) *api.Secret {
	t.Helper()
	secret, err := v.client(t, v.root).Logical().Write(path, body)
	if err != nil {
		t.Fatalf("write %s: %v", path, err)
	}
	return secret
}

// token returns a token with this policy only, without Vault's default policy.
func (v *vaultServer) token(t testing.TB, policy string) string {
	t.Helper()
	v.write(t, "sys/policies/acl/"+t.Name(), map[string]any{"policy": policy})
	secret := v.write(t, "auth/token/create", map[string]any{
		"policies": []string{t.Name()}, "no_default_policy": true, "ttl": "10m",
	})
	return secret.Auth.ClientToken
}

// store opens a store. By default it uses the root token and secret/mcp-login.
func (v *vaultServer) store(t testing.TB, c vault.Config) *vault.Store {
	t.Helper()
	s, err := v.open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (v *vaultServer) open(c vault.Config) (*vault.Store, error) {
	c.Mount, c.Prefix = cmp.Or(c.Mount, "secret"), cmp.Or(c.Prefix, "mcp-login")
	if c.Client == nil {
		client, err := v.newClient(v.root)
		if err != nil {
			return nil, err
		}
		c.Client = client
	}
	return vault.Open(c)
}

// mustPut writes a record.
func mustPut(t testing.TB, s secrets.Store, name, data string, prev secrets.Version) secrets.Version {
	t.Helper()
	v, err := s.Put(context.Background(), name, []byte(data), prev)
	if err != nil {
		t.Fatalf("Put(%q): %v", name, err)
	}
	return v
}
