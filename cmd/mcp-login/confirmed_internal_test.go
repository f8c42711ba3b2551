package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// machine is a user on a host, with a store that other users can write to.
type machine struct {
	t           *testing.T
	home        string
	env         map[string]string
	out, stderr *bytes.Buffer
	trusted     *oauthtest.Server
	attacker    *oauthtest.Server
	trustedURL  string
	attackerURL string
}

func newMachine(t *testing.T) *machine {
	h := &machine{t: t, home: t.TempDir(), env: map[string]string{}}
	h.set("JOB_JWT", "job.jwt.x")
	h.set("MCP_LOGIN_KEEPER", "key-file")
	h.trusted, h.trustedURL = assertionServer(t)
	h.attacker, h.attackerURL = assertionServer(t)
	return h
}

// set sets a variable in the environment of the call and of this process, which the
// framework reads.
func (h *machine) set(name, value string) {
	h.t.Helper()
	h.t.Setenv(name, value)
	h.env[name] = value
}

// assertionServer accepts every assertion.
func assertionServer(t *testing.T) (*oauthtest.Server, string) {
	s := &oauthtest.Server{Tokens: oauthtest.Tokens{NoRefresh: true, AnyResource: true}, Clients: oauthtest.Clients{Known: map[string]string{"job": ""}}}
	s.Trust.Assertion = func(string) error { return nil }
	s.Trust.Exchange = func(url.Values) (string, error) { return "exchanged", nil }
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s, srv.URL
}

func (h *machine) newEnv() *call {
	e, out, stderr := testEnv(h.t)
	h.out, h.stderr = out, stderr
	e.getenv = func(name string) string {
		if name == "HOME" {
			return h.home
		}
		return h.env[name]
	}
	return e
}

func (h *machine) run(args ...string) int {
	h.t.Helper()
	return run(h.t.Context(), args, &h.newEnv().env)
}

// want runs a command and checks its exit code.
func (h *machine) want(code int, args ...string) {
	h.t.Helper()
	if got := h.run(args...); got != code || code != 0 && h.out.String() != failure(args, code) {
		h.t.Errorf("mcp-login %s: exit code %d, want %d; standard output %q, standard error:\n%s", strings.Join(args, " "), got, code, h.out, h.stderr)
	}
}

// plant writes a record to the store, like an attacker with write access.
func (h *machine) plant(c mcplogin.Credential) {
	h.t.Helper()
	e := h.newEnv()
	store, err := e.open(&common{Options: access.Options{Keeper: "key-file"}}).OpenStore(h.t.Context(), true)
	if err != nil {
		h.t.Fatal(err)
	}
	c.Version, c.Profile, c.App = 1, "p", oauth.App{ID: "job", AuthMethod: oauth.AuthNone}
	c.Server = cmp.Or(c.Server, h.trustedURL+"/mcp")
	c.Resource = c.Server
	data, err := json.Marshal(c)
	if err == nil {
		_, err = store.Put(h.t.Context(), "p", data, secrets.Any)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func expiredToken() oauth.Token {
	return oauth.Token{Access: "old", Type: "Bearer", Expiry: time.Now().Add(-time.Hour)}
}

func (h *machine) server(issuer, endpoint string) oauth.Server {
	return oauth.Server{Issuer: issuer, TokenEndpoint: endpoint + "/token", GrantTypes: []string{oauth.GrantJWTBearer}}
}

func idTokenFor(audience string) string {
	claims := fmt.Sprintf(`{"iss":"https://ci.test","sub":"job","aud":%q}`, audience)
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

// TestPlantedRecordHasNoEffect: a record is data. It cannot run a
// command, send a secret of this host, or request an ID token, whatever it
// contains.
func TestPlantedRecordHasNoEffect(t *testing.T) {
	const sts = "sts.amazonaws.com"
	h := newMachine(t)
	marker := filepath.Join(h.home, "ran")
	h.set("MCP_LOGIN_ID_TOKEN", idTokenFor(sts))
	for name, c := range map[string]mcplogin.Credential{
		"command":                 {Flow: "jwt-bearer", Login: mcplogin.LoginOptions{Inputs: flows.Inputs{Assertion: "command:touch " + marker}}},
		"secret":                  {Flow: "token-exchange", Login: mcplogin.LoginOptions{Inputs: flows.Inputs{SubjectToken: "env:JOB_JWT"}}},
		"two":                     {Flow: "id-jag", Login: mcplogin.LoginOptions{Inputs: flows.Inputs{SubjectToken: "env:JOB_JWT", IDPClientSecret: "command:touch " + marker, IDPTokenEndpoint: h.attackerURL + "/token"}}},
		"ID token":                {Flow: "ci", Login: mcplogin.LoginOptions{Inputs: flows.Inputs{Audience: sts}}},
		"ID token for the issuer": {Flow: "ci"},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			c.Token, c.Issuer, c.Server = expiredToken(), h.server(h.attackerURL, h.attackerURL), h.attackerURL+"/mcp"
			c.Login.Flows = []string{c.Flow}
			h.plant(c)
			for _, args := range [][]string{
				{"token", "p"}, {"env", "p"}, {"headers", "p"}, {"refresh", "p"}, {"login", "p"}, {"token", "p", "--login"},
				{"test", "p"}, {"proxy", "p", "--login"}, {"export", "p"},
				{"login", "p", "--flow", "jwt-bearer", "--assertion-from", "env:JOB_JWT"}, // typed for another server
			} {
				h.want(exit.LoginRequired, args...)
				if runs := strings.Contains(h.stderr.String(), "command:touch"); runs != strings.Contains(h.stderr.String(), "\nhint: the command below contains a command from the stored record") {
					t.Errorf("%v: no warning before a command from the record: %s", args, h.stderr)
				}
				if !strings.Contains(h.stderr.String(), "not confirmed on this host") || !strings.Contains(h.stderr.String(), "\nhint: ") {
					t.Errorf("%v: standard error %s", args, h.stderr)
				}
			}
			if _, err := os.Lstat(marker); err == nil {
				t.Error("the command ran")
			}
			if n := h.attacker.Count(oauthtest.Token); n != 0 {
				t.Errorf("%d requests to the record's token endpoint", n)
			}
			h.want(exit.Done, "status", "p", "--json")
			if got := h.out.String(); !strings.Contains(got, `"inputs_confirmed":false`) {
				t.Errorf("status shows %s", got)
			}
		})
	}
}

// TestTypedSourcesAreUsedForRefresh: sources that were typed at a sign-in are used
// for every refresh on this host. The confirmation is valid for that record only,
// and not for another one with the same sources.
func TestTypedSourcesAreUsedForRefresh(t *testing.T) {
	h := newMachine(t)
	h.want(exit.Done, "login", "p", h.trustedURL+"/mcp", "--flow", "jwt-bearer", "--client-id", "job", "--assertion-from", "env:JOB_JWT")
	h.want(exit.Done, "refresh", "p")
	h.want(exit.Done, "login", "p")
	h.want(exit.Done, "login", "p", "--flow", "jwt-bearer", "--assertion-from", "env:JOB_JWT")
	h.want(exit.Done, "status", "p")
	if got := h.out.String(); !strings.Contains(got, "env:JOB_JWT") || !strings.Contains(got, "on this host") {
		t.Errorf("status shows:\n%s", got)
	}
	e := h.newEnv()
	store, err := e.open(new(common)).OpenStore(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := store.Get(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*mcplogin.Credential){
		"another endpoint": func(c *mcplogin.Credential) { c.Issuer.TokenEndpoint = h.attackerURL + "/token" },
		"another issuer":   func(c *mcplogin.Credential) { c.Issuer.Issuer = h.attackerURL },
		"another server":   func(c *mcplogin.Credential) { c.Server = h.attackerURL + "/mcp" },
		"another resource": func(c *mcplogin.Credential) { c.Resource = h.attackerURL + "/mcp" },
		"more scopes":      func(c *mcplogin.Credential) { c.Asked = append(c.Asked, "admin") },
		"another source":   func(c *mcplogin.Credential) { c.Login.Inputs.Assertion = "env:HOME" },
		"another flow":     func(c *mcplogin.Credential) { c.Flow = "ci" },
	} {
		c, err := mcplogin.ParseCredential(data)
		if err != nil {
			t.Fatal(err)
		}
		change(&c)
		changed, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Put(t.Context(), "p", changed, secrets.Any); err != nil {
			t.Fatal(err)
		}
		if h.want(exit.LoginRequired, "refresh", "p"); h.attacker.Count(oauthtest.Token) != 0 {
			t.Errorf("%s: the assertion was sent", name)
		}
	}
	if _, err := store.Put(t.Context(), "p", data, secrets.Any); err != nil {
		t.Fatal(err)
	}
	h.want(exit.Done, "refresh", "p")
	h.want(exit.Done, "logout", "p")
	notes, err := filepath.Glob(filepath.Join(h.home, ".local/state/mcp-login/confirmed/*"))
	if err != nil || len(notes) != 0 {
		t.Errorf("after the logout the notes are %q, %v", notes, err)
	}
}

// TestNewHostNamesItsSources: on a new host the environment or the command
// line names everything, and the endpoint is the one that the named issuer
// publishes.
func TestNewHostNamesItsSources(t *testing.T) {
	h := newMachine(t)
	h.set("MCP_LOGIN_ID_TOKEN", idTokenFor("api://team"))
	record := mcplogin.Credential{Flow: "ci", Token: expiredToken(), Issuer: h.server(h.trustedURL, h.trustedURL)}
	record.Login.Inputs.Audience = "api://team"
	h.plant(record)
	issuer, audience := []string{"--expect-issuer", h.trustedURL}, []string{"--expect-audience", "api://team"}
	h.want(exit.LoginRequired, "token", "p")
	if got := h.stderr.String(); !strings.Contains(got, "or for one run: MCP_LOGIN_EXPECT_ISSUER="+h.trustedURL+" MCP_LOGIN_EXPECT_AUDIENCE=api://team mcp-login token p\n") {
		t.Errorf("the hint does not explain how to confirm:\n%s", got)
	}
	h.want(exit.LoginRequired, append([]string{"token", "p"}, issuer...)...)
	h.want(exit.LoginRequired, append([]string{"token", "p"}, audience...)...)
	h.want(exit.LoginRequired, append([]string{"token", "p", "--expect-audience", "api://other"}, issuer...)...)
	if n := h.trusted.Count(oauthtest.Token); n != 0 {
		t.Errorf("%d ID tokens were presented", n)
	}
	h.want(exit.Done, append(append([]string{"token", "p"}, issuer...), audience...)...)
	h.set("MCP_LOGIN_EXPECT_ISSUER", h.trustedURL)
	h.set("MCP_LOGIN_EXPECT_AUDIENCE", "api://team")
	h.want(exit.Done, "refresh", "p")

	// The issuer is the expected one, but the endpoint in the record is another.
	record.Issuer.TokenEndpoint = h.attackerURL + "/token"
	h.plant(record)
	h.want(exit.LoginRequired, "refresh", "p")
	if !strings.Contains(h.stderr.String(), "token_endpoint changed") || h.attacker.Count(oauthtest.Token) != 0 {
		t.Errorf("%d ID tokens were sent elsewhere:\n%s", h.attacker.Count(oauthtest.Token), h.stderr)
	}

	// The default audience is the issuer, so it is confirmed with the issuer.
	h.set("MCP_LOGIN_ID_TOKEN", idTokenFor(h.trustedURL))
	h.set("MCP_LOGIN_EXPECT_AUDIENCE", "")
	record.Login.Inputs.Audience, record.Issuer = "", h.server(h.trustedURL, h.trustedURL)
	h.plant(record)
	h.want(exit.Done, "token", "p")

	// A source is confirmed by the variable of its flag, and requires the issuer
	// too.
	record.Flow, record.Login.Inputs.Assertion = "jwt-bearer", "env:JOB_JWT"
	h.plant(record)
	h.want(exit.LoginRequired, "token", "p")
	h.set("MCP_LOGIN_ASSERTION_FROM", "env:JOB_JWT")
	h.want(exit.Done, "refresh", "p")
	h.set("MCP_LOGIN_EXPECT_ISSUER", "")
	h.want(exit.LoginRequired, "refresh", "p")
}

// TestExpectedIssuerHoldsForStoredRecords: --expect-issuer applies to stored
// records, whatever their flow and whether a refresh is due, in every command that
// uses a token.
func TestExpectedIssuerHoldsForStoredRecords(t *testing.T) {
	h := newMachine(t)
	for name, token := range map[string]oauth.Token{
		"valid":   {Access: "a", Refresh: "r", Type: "Bearer", Expiry: time.Now().Add(time.Hour)},
		"expired": {Access: "a", Refresh: "r", Type: "Bearer", Expiry: time.Now().Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.plant(mcplogin.Credential{Flow: "device", Token: token, Issuer: h.server(h.attackerURL, h.attackerURL)})
			for _, args := range [][]string{
				{"token", "p"}, {"env", "p"}, {"headers", "p"}, {"refresh", "p"}, {"test", "p"}, {"export", "p"}, {"token", "p", "--login"},
			} {
				h.want(exit.Denied, append([]string{args[0], "--expect-issuer", h.trustedURL}, args[1:]...)...)
				h.set("MCP_LOGIN_EXPECT_ISSUER", h.trustedURL)
				h.want(exit.Denied, args...)
				h.set("MCP_LOGIN_EXPECT_ISSUER", "")
			}
			if n := h.attacker.Count(oauthtest.Token); n != 0 {
				t.Errorf("%d requests to the other issuer", n)
			}
		})
	}
}

// TestLoginWithoutAFolderForNotes: a sign-in succeeds if the confirmation cannot be
// saved, and says what each refresh needs.
func TestLoginWithoutAFolderForNotes(t *testing.T) {
	h := newMachine(t)
	state := filepath.Join(h.home, ".local/state/mcp-login")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "confirmed"), nil, 0o600); err != nil { // a file where the folder would be
		t.Fatal(err)
	}
	h.want(exit.Done, "login", "p", h.trustedURL+"/mcp", "--flow", "jwt-bearer", "--client-id", "job", "--assertion-from", "env:JOB_JWT")
	if got := h.stderr.String(); !strings.Contains(got, "warning: cannot save your confirmation") || !strings.Contains(got, "MCP_LOGIN_ASSERTION_FROM=env:JOB_JWT") {
		t.Errorf("standard error:\n%s", got)
	}
	h.want(exit.Done, "token", "p")
	h.want(exit.Store, "refresh", "p")
	h.want(exit.Done, "status", "p")
	h.set("MCP_LOGIN_ASSERTION_FROM", "env:JOB_JWT")
	h.want(exit.Done, "refresh", "p", "--expect-issuer", h.trustedURL)
}

// TestNotesOfOtherUsersAreIgnored: a confirmation file that others can write, or a
// symbolic link, confirms nothing.
func TestNotesOfOtherUsersAreIgnored(t *testing.T) {
	h := newMachine(t)
	h.want(exit.Done, "login", "p", h.trustedURL+"/mcp", "--flow", "jwt-bearer", "--client-id", "job", "--assertion-from", "env:JOB_JWT")
	dir := filepath.Join(h.home, ".local/state/mcp-login/confirmed")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	h.want(exit.Store, "refresh", "p")
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h.want(exit.Done, "refresh", "p")
}

// TestImportAndMoveRemoveSources: import and store move remove sources that this
// user has not typed on this host, and list them.
func TestImportAndMoveRemoveSources(t *testing.T) {
	h := newMachine(t)
	h.set("MCP_LOGIN_EXPORT_PASSPHRASE", "correct horse")
	record := mcplogin.Credential{
		Flow: "jwt-bearer", Issuer: h.server(h.trustedURL, h.trustedURL),
		Token: oauth.Token{Access: "still-valid", Type: "Bearer", Expiry: time.Now().Add(time.Hour)},
	}
	record.Login.Inputs = flows.Inputs{Assertion: "command:touch x", Audience: "sts.amazonaws.com"}
	h.plant(record)
	h.want(exit.Done, "store", "move", "--to", "file:"+filepath.Join(h.home, "second"), "p")
	for _, line := range []string{
		`removed from "p", because you did not set it on this host: audience sts.amazonaws.com`,
		`removed from "p", because you did not set it on this host: assertion command:touch x`, `moved "p"`,
	} {
		if !strings.Contains(h.stderr.String(), line+"\n") {
			t.Errorf("%q is missing in the output of store move:\n%s", line, h.stderr)
		}
	}
	h.want(exit.Done, "status", "p", "--json", "--profile-dir", filepath.Join(h.home, "second"))
	if got := h.out.String(); strings.Contains(got, "command:") || strings.Contains(got, "sts") || !strings.Contains(got, `"state":"valid"`) {
		t.Errorf("status shows %s", got)
	}

	h.plant(record)
	e := h.newEnv()
	e.work = 10
	if code := run(t.Context(), []string{"export", "p"}, &e.env); code != exit.Done {
		t.Fatalf("export: %s", h.stderr)
	}
	parcel := h.out.String()
	e = h.newEnv()
	e.in = strings.NewReader(parcel)
	if code := run(t.Context(), []string{"import", "q"}, &e.env); code != exit.Done || !strings.Contains(h.stderr.String(), "assertion command:touch x\n") {
		t.Errorf("import: exit code %d:\n%s", code, h.stderr)
	}
	h.want(exit.Done, "status", "q", "--json")
	if got := h.out.String(); strings.Contains(got, "command:") || strings.Contains(got, "sts") {
		t.Errorf("status shows %s", got)
	}
	h.want(exit.Done, "token", "q")

	// Sources that this user typed on this host are moved too.
	h.want(exit.Done, "login", "mine", h.trustedURL+"/mcp", "--flow", "jwt-bearer", "--client-id", "job", "--assertion-from", "env:JOB_JWT")
	h.want(exit.Done, "store", "move", "--to", "file:"+filepath.Join(h.home, "second"), "mine")
	h.want(exit.Done, "refresh", "mine", "--profile-dir", filepath.Join(h.home, "second"))
}
