//go:build unix

package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// faultCase is a command that fails, with its expected error.
type faultCase struct {
	name, line string
	env        map[string]string
	code       int
	want       []string // in order; regular expressions
}

// TestFaultsInWords: failures to reach a server, a proxy or Vault are described in
// the user's terms, with a hint, and without raw Go errors.
func TestFaultsInWords(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // discards the errors of TLS handshakes, which fail on purpose
	secure.StartTLS()
	t.Cleanup(secure.Close)
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(secure.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	t.Cleanup(proxy.Close)
	unused := unusedAddress(t)
	doctor := "^hint: to see where it fails: mcp-login doctor "
	for _, f := range []faultCase{
		{"refused", "discover http://" + unused + "/mcp", nil, exit.Temporary,
			[]string{"cannot reach " + unused + ": connection refused$", "^hint: check whether the server is running, and whether a firewall blocks it$", doctor}},
		{"connection refused at login", "login x http://" + unused + "/mcp --keeper key-file", nil, exit.Temporary,
			[]string{"cannot reach " + unused + ": connection refused$", doctor}},
		{"timeout", "discover http://" + silentServer(t) + "/mcp --timeout 50ms", nil, exit.Temporary,
			[]string{`cannot reach \S+: no answer in time$`, "^hint: check whether the server is running", doctor}},
		{"DNS", "discover https://nowhere.invalid/mcp", nil, exit.Temporary,
			[]string{"cannot reach nowhere.invalid: (no such host name|the DNS server did not answer for nowhere.invalid|no answer in time)$", "^hint: check ", doctor}},
		{"TLS name", "discover https://localhost:" + port + "/mcp --ca-cert " + trusted, nil, exit.Failed,
			[]string{"cannot reach localhost:" + port + ": its certificate is for other names: example.com", "^hint: check the URL, or ask the server's operator to fix it$", doctor}},
		{"unknown CA", "discover " + secure.URL + "/mcp", nil, exit.Failed,
			[]string{"its certificate is signed by an authority that this machine does not trust$", "^hint: if your organization issued the certificate, use: --ca-cert FILE$"}},
		{"not TLS", "discover " + strings.Replace(proxy.URL, "http://", "https://", 1) + "/mcp", nil, exit.Failed,
			[]string{"it does not use TLS on this port$", "^hint: check the port of the URL, or use http:// for a server on this machine$"}},
		{"proxy connection refused", "discover https://mcp.example/mcp", map[string]string{"HTTPS_PROXY": "http://" + unused}, exit.Temporary,
			[]string{"cannot reach mcp.example: the HTTP proxy cannot be reached: connection refused$", "^hint: check HTTPS_PROXY and NO_PROXY$", doctor}},
		{"proxy requires a password", "discover https://mcp.example/mcp", map[string]string{"HTTPS_PROXY": proxy.URL}, exit.Failed,
			[]string{`cannot reach mcp.example: the HTTP proxy \S+ requires a user name and password`, "^hint: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"}},

		{"Vault connection refused", "token a --store vault:secret/x", vaultAt("http://"+unused, "hvs.example"), exit.Temporary,
			[]string{"vault: read secret/data/x/a at http://" + unused + ": connection refused$", "^hint: check VAULT_ADDR, and that Vault runs: vault status$"}},
		{"Vault sealed", "token a --store vault:secret/x", vaultAt(vaultError(t, 503, "Vault is sealed"), "hvs.example"), exit.Store,
			[]string{"Vault is sealed: an operator must unseal it$", "^hint: an operator of Vault runs: vault operator unseal$"}},
		{"Vault denied", "token a --store vault:secret/x", vaultAt(vaultError(t, 403, "permission denied"), "hvs.example"), exit.Store,
			[]string{"permission denied; the policy must have: path ", "^hint: ask the administrator of Vault for that policy; your token: vault token lookup$"}},
		{"Vault without a token", "token a --store vault:secret/x", vaultAt("http://"+unused, ""), exit.Store,
			[]string{"no token; set VAULT_TOKEN", "^hint: vault login$"}},
	} {
		t.Run(f.name, func(t *testing.T) { t.Parallel(); f.run(t) })
	}
}

// run runs the command and checks its output.
func (f faultCase) run(t *testing.T) {
	home := t.TempDir()
	cmd := exec.Command(programLink(t, home), strings.Fields(f.line)...)
	cmd.Env = []string{"HOME=" + home, "PATH=" + home, "VAULT_MAX_RETRIES=0"}
	for name, value := range f.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	_ = cmd.Run() // the exit code is checked
	if code := cmd.ProcessState.ExitCode(); code != f.code || out.Len() > 0 {
		t.Errorf("exit code %d, want %d; standard output %q\n%s", code, f.code, out.String(), stderr.String())
	}
	rest := stderr.String()
	for _, want := range f.want {
		at := regexp.MustCompile("(?m)" + want).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("%q is missing in:\n%s", want, stderr.String())
		}
		rest = rest[at[1]:]
	}
	if raw := regexp.MustCompile(`dial tcp|lookup |x509|tls: |Get "|Post "|i/o timeout|deadline|syscall|connect: `).FindString(stderr.String()); raw != "" {
		t.Errorf("a raw Go error, %q:\n%s", raw, stderr.String())
	}
}

// unusedAddress returns an address without a listener.
func unusedAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// silentServer accepts connections and never responds.
func silentServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// vaultAt returns the environment variables for a Vault server.
func vaultAt(address, token string) map[string]string {
	return map[string]string{"VAULT_ADDR": address, "VAULT_TOKEN": token}
}

// vaultError responds to every request with a Vault error.
func vaultError(t *testing.T, status int, text string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"errors":[%q]}`, text)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// programLink creates a link to the test binary named like the program.
func programLink(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "mcp-login")
	if err := os.Symlink(os.Args[0], path); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	return path
}
