package ci_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/ci"
)

// jwt returns an unsigned JWT with these claims.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

var forVault = jwt(`{"iss":"https://ci.example","sub":"repo:a/b","aud":"vault","exp":1900000000}`)

func TestIDTokenOverHTTP(t *testing.T) {
	for _, tt := range []struct {
		provider ci.Provider
		env      []string // %s is replaced by the server's address
		audience string
		want     string // the request
		answer   string
	}{
		{
			ci.GitHub,
			[]string{"ACTIONS_ID_TOKEN_REQUEST_URL=%s/token?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=job"},
			"https://vault & co",
			"GET /token?api-version=2&audience=https%3A%2F%2Fvault+%26+co Bearer job",
			`{"count":1,"value":"` + jwt(`{"aud":["https://vault & co"]}`) + `"}`,
		},
		{
			ci.GitHub,
			[]string{"ACTIONS_ID_TOKEN_REQUEST_URL=%s/token?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=job"},
			"", "GET /token?api-version=2 Bearer job", `{"value":"` + forVault + `"}`,
		},
		{
			ci.Gitea, // Forgejo
			[]string{"ACTIONS_ID_TOKEN_REQUEST_URL=%s/token?run=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=job"},
			"vault", "GET /token?run=1&audience=vault Bearer job", `{"value":"` + forVault + `"}`,
		},
		{
			ci.Azure,
			[]string{"SYSTEM_OIDCREQUESTURI=%s/oidctoken", "SYSTEM_ACCESSTOKEN=job", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID=guid"},
			"api://AzureADTokenExchange",
			"POST /oidctoken?api-version=7.1&serviceConnectionId=guid Bearer job Suppress",
			`{"oidcToken":"` + jwt(`{"aud":"api://AzureADTokenExchange"}`) + `"}`,
		},
	} {
		var got string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization") + " " + r.Header.Get("X-TFS-FedAuthRedirect"))
			fmt.Fprint(w, tt.answer)
		}))
		for i, v := range tt.env {
			tt.env[i] = strings.Replace(v, "%s", srv.URL, 1)
		}
		w := newFakeJob(t, tt.provider, tt.env...)
		w.HTTP = srv.Client()
		token, err := w.IDToken(t.Context(), tt.audience)
		if err != nil || got != tt.want || !strings.Contains(tt.answer, token) {
			t.Errorf("%v: IDToken = %q, %v by %q, want %q", tt.provider, token, err, got, tt.want)
		}
		srv.Close()
	}
}

func TestIDTokenFromCommandOrEnvironment(t *testing.T) {
	v2 := jwt(`{"aud":"org"}`)
	for _, tt := range []struct {
		provider ci.Provider
		env      string
		audience string
		argv     string // "": no command runs
		want     string
	}{
		{ci.CircleCI, "", "vault", `circleci run oidc get --claims {"aud":"vault"}`, forVault},
		{ci.CircleCI, "CIRCLE_OIDC_TOKEN_V2=" + v2, "", "", v2},
		{ci.CircleCI, "CIRCLE_OIDC_TOKEN=" + v2, "", "", v2},
		{ci.Buildkite, "", "vault", "buildkite-agent oidc request-token --audience vault", forVault},
		{ci.Buildkite, "", "", "buildkite-agent oidc request-token", forVault},
		{ci.GitLab, "VAULT_ID_TOKEN=" + forVault, "vault", "", forVault},
		{ci.GitLab, "MCP_LOGIN_ID_TOKEN=" + forVault, "vault", "", forVault},
		{ci.Bitbucket, "BITBUCKET_STEP_OIDC_TOKEN=" + forVault, "vault", "", forVault},
		{ci.Jenkins, "MCP_LOGIN_ID_TOKEN=" + forVault, "vault", "", forVault},
	} {
		w := newFakeJob(t, tt.provider, tt.env)
		var argv string
		w.Run = func(_ context.Context, _ string, a ...string) (string, error) {
			argv = strings.Join(a, " ")
			return forVault + "\n", nil
		}
		got, err := w.IDToken(t.Context(), tt.audience)
		if got != tt.want || err != nil || argv != tt.argv {
			t.Errorf("%v: IDToken(%q) = %q, %v by %q, want %q by %q", tt.provider, tt.audience, got, err, argv, tt.want, tt.argv)
		}
	}
}

func TestIDTokenErrors(t *testing.T) {
	for _, tt := range []struct {
		provider ci.Provider
		env      []string
		audience string
		want     error
	}{
		{ci.GitHub, nil, "vault", ci.ErrUnsupported},
		{ci.Gitea, nil, "", ci.ErrUnsupported},
		{ci.Azure, nil, "", ci.ErrUnsupported},
		{ci.Azure, nil, "vault", ci.ErrIdentity},
		{ci.GitLab, nil, "vault", ci.ErrUnsupported},
		{ci.GitLab, []string{"VAULT_ID_TOKEN=" + jwt(`{"aud":"other"}`)}, "vault", ci.ErrIdentity},
		{ci.GitLab, []string{"VAULT_ID_TOKEN=opaque"}, "vault", ci.ErrIdentity},
		{ci.Bitbucket, nil, "", ci.ErrUnsupported},
		{ci.Travis, nil, "", ci.ErrUnsupported},
		{ci.Woodpecker, nil, "", ci.ErrUnsupported},
		{ci.Drone, nil, "", ci.ErrUnsupported},
		{ci.TeamCity, nil, "", ci.ErrUnsupported},
		{ci.None, nil, "", ci.ErrUnsupported},
	} {
		if _, err := newFakeJob(t, tt.provider, tt.env...).IDToken(t.Context(), tt.audience); !errors.Is(err, tt.want) {
			t.Errorf("%v: IDToken(%q) = %v, want %v", tt.provider, tt.audience, err, tt.want)
		}
	}
}

func TestIDTokenRequestGoesOnlyOverTLS(t *testing.T) {
	w := newFakeJob(t, ci.GitHub, "ACTIONS_ID_TOKEN_REQUEST_URL=http://ci.example/?a=b", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=hush")
	w.HTTP = http.DefaultClient
	if _, err := w.IDToken(t.Context(), ""); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("IDToken over http = %v", err)
	}
}

func TestIdentity(t *testing.T) {
	id, err := ci.ParseIdentity(forVault)
	if err != nil || id.Issuer != "https://ci.example" || id.Subject != "repo:a/b" || !id.Expiry.Equal(time.Unix(1900000000, 0)) {
		t.Errorf("ParseIdentity = %+v, %v", id, err)
	}
	if got, want := id.String(), "repo:a/b of https://ci.example"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	for _, tt := range []struct {
		issuer, subject string
		want            error
	}{
		{"", "", nil},
		{"https://ci.example", "repo:a/b", nil},
		{"https://ci.example/", "", ci.ErrIdentity},
		{"", "repo:a/bc", ci.ErrIdentity},
		{"", "repo:a/*", ci.ErrIdentity},
	} {
		if err := id.Expect(tt.issuer, tt.subject); !errors.Is(err, tt.want) {
			t.Errorf("Expect(%q, %q) = %v, want %v", tt.issuer, tt.subject, err, tt.want)
		}
	}
	for _, token := range []string{"", "opaque", "a.b", "a.*.c", jwt(`[]`), jwt(`{"aud":1}`)} {
		if _, err := ci.ParseIdentity(token); !errors.Is(err, ci.ErrIdentity) {
			t.Errorf("ParseIdentity(%q) = %v, want ErrIdentity", token, err)
		}
	}
	hostile, err := ci.ParseIdentity(jwt(`{"iss":"::error::x","sub":"\u001b[2J##vso[a]"}`))
	if got, want := hostile.String(), "[2J# #vso[a] of | ::error::x"; err != nil || got != want {
		t.Errorf("String = %q, %v, want %q", got, err, want)
	}
}

func TestMissingIDTokenSaysWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		provider       ci.Provider
		audience       string
		want, unwanted string
	}{
		{ci.None, "vault", "not available here: this is not a CI job", "no CI gives"},
		{ci.GitLab, "https://as.example.com", "`id_tokens: {MCP_LOGIN_ID_TOKEN: {aud: \"https://as.example.com\"}}`", "HTTPS___"},
		{ci.GitLab, "", "`id_tokens: {MCP_LOGIN_ID_TOKEN: {aud: \"...\"}}`", " _ID_TOKEN"},
		{ci.GitLab, "a\n##[add-mask]b", `{aud: "a # #[add-mask]b"}`, "##["},
	} {
		_, err := newFakeJob(t, tt.provider).IDToken(t.Context(), tt.audience)
		if !errors.Is(err, ci.ErrUnsupported) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), tt.unwanted) {
			t.Errorf("%v: IDToken(%q) = %v, want %q and not %q", tt.provider, tt.audience, err, tt.want, tt.unwanted)
		}
	}
}

func TestTokenWithoutASubject(t *testing.T) {
	err := ci.Identity{Issuer: "https://as"}.Expect("", "alice")
	if !errors.Is(err, ci.ErrIdentity) || !strings.Contains(err.Error(), `the token names no subject, but "alice" is expected`) {
		t.Errorf("Expect = %v", err)
	}
}
