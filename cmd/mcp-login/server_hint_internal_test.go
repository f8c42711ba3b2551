package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/oauth"
)

func entraError(description string) error {
	return &oauth.Error{Code: "invalid_request", Description: description, Status: 400}
}

// TestServerRemedy: an error of a server has a hint with a command that can be
// pasted.
func TestServerRemedy(t *testing.T) {
	const url = "https://mcp.test"
	for _, tt := range []struct {
		name  string
		typed string
		err   error
		code  int
		hint  string
	}{
		{"another path", "login a " + url, &oauth.NotServerError{URL: url, Try: url + "/mcp/"}, exit.Failed, "mcp-login login a https://mcp.test/mcp/"},
		{"another path for discover", "discover --json " + url, &oauth.NotServerError{URL: url, Try: url + "/mcp/"}, exit.Failed, "mcp-login discover --json https://mcp.test/mcp/"},
		{"not a server", "login a " + url, &oauth.NotServerError{URL: url}, exit.Failed, "many servers use /mcp"},
		{"resource below", "discover " + url, &oauth.ResourceError{Server: url, Resource: url + "/v1/mcp"}, exit.Failed, "mcp-login discover https://mcp.test/v1/mcp"},
		{"another resource", "login a " + url, &oauth.ResourceError{Server: url, Resource: "http://mcp.test"}, exit.Failed, "mcp-login login --issuer ISSUER a https://mcp.test"},
		{"another issuer", "login a " + url, &oauth.IssuerError{Want: "https://as.test/", Got: "https://as.test"}, exit.Failed, "mcp-login login --accept-issuer https://as.test/=https://as.test a https://mcp.test"},
		{"an error of a proxy", "login a " + url, &oauth.ProxyError{Proxy: "proxy:3128", Status: 407}, exit.Failed, "HTTPS_PROXY"},
		{"an unknown authority", "login a " + url, fmt.Errorf("ask: %w", x509.UnknownAuthorityError{}), exit.Failed, "--ca-cert FILE"},
		{"the resource parameter", "login a " + url, &oauth.Error{Code: oauth.CodeInvalidTarget, Status: 400}, exit.Failed, "mcp-login login --no-resource a https://mcp.test"},
		{"Entra and a resource", "login a " + url, entraError("AADSTS9010010: The resource parameter"), exit.Failed, "mcp-login login --no-resource --scope 'api://APP-ID/SCOPE offline_access' a https://mcp.test"},
		{"Entra and a scope", "login a " + url, entraError("AADSTS650053: The application asked for scope 'x'"), exit.Failed, "mcp-login login --scope 'api://APP-ID/SCOPE offline_access' a https://mcp.test"},
		{"Entra and a public client", "login a " + url, entraError("AADSTS7000218: The request body must contain"), exit.Failed, "allow public client flows"},
		{"GitHub without the device flow", "login a " + url, &oauth.Error{Code: "device_flow_disabled", Status: 200}, exit.Failed, "enable the device flow"},
		{"an overloaded proxy", "login a " + url, &oauth.ProxyError{Proxy: "proxy:3128", Status: 503}, exit.Temporary, "mcp-login doctor https://mcp.test"},
		{"a server error", "login a " + url, &oauth.Error{Status: 503, Endpoint: url}, exit.Temporary, "try again later, or ask the server's operator to fix it\nto see where it fails: mcp-login doctor https://mcp.test"},
		{"a server error in doctor", "doctor " + url, &oauth.Error{Status: 500, Endpoint: url}, exit.Temporary, "try again later, or ask the server's operator to fix it"},
		{"not found", "doctor " + url, &oauth.Error{Status: 501, Endpoint: url}, exit.Failed, "check the URL and its path; many servers use /mcp"},
		{"bad request", "login a " + url, &oauth.Error{Status: 415, Endpoint: url}, exit.Failed, "check the URL and its path; many servers use /mcp\nto see"},
		{"too many requests", "login a " + url, &oauth.Error{Status: 429, Endpoint: url, RetryAfter: 90 * time.Second}, exit.Temporary, "try again in 1m30s"},
		{"anything else", "login a " + url, errors.New("x"), exit.Failed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, _, _ := testEnv(t)
			e.Line = treeOf(allCommands(e)).Interpret(strings.Fields(tt.typed))
			code, hint := e.Remedy().For(tt.err)
			if code != tt.code || !strings.Contains(hint, tt.hint) || tt.hint == "" && hint != "" {
				t.Errorf("For() = %d, %q, want %d, %q", code, hint, tt.code, tt.hint)
			}
		})
	}
}
