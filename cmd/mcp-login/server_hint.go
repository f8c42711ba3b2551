package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// serverVerdict is the part of verdict about what a server, or something before
// it, makes impossible: the way past it.
func (e *env) serverVerdict(err error) (code int, hint string, ok bool) {
	var (
		not      *oauth.NotServerError
		issuer   *oauth.IssuerError
		resource *oauth.ResourceError
		proxy    *oauth.ProxyError
		unknown  x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &proxy) && !oauth.Temporary(err):
		return exitFailed, "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or ask the administrator of the proxy", true
	case errors.As(err, &unknown):
		return exitFailed, "if the certificate is your organization's, name its file: --ca-cert FILE", true
	case errors.As(err, &not) && not.Try != "":
		return exitFailed, e.atServer(not.Try), true
	case errors.As(err, &not):
		return exitFailed, "check the URL, and its path: many servers are at /mcp", true
	case errors.As(err, &issuer) && issuer.Got == "":
		return exitFailed, "the server's operator must publish its issuer", true
	case errors.As(err, &issuer):
		return exitFailed, "if the vendor runs both, accept exactly this pair: " + e.atServer("", "--accept-issuer", issuer.Want+"="+issuer.Got), true
	case errors.Is(err, oauth.ErrIssuer): // in the answer that a browser brought
		return exitFailed, "another server may have answered; if the vendor offers the device flow, it needs no redirect: " + e.atServer("", "--flow", "device"), true
	case errors.As(err, &resource):
		return exitFailed, e.pastResource(resource), true
	case errors.Is(err, authcode.ErrNoPKCE) && errors.Is(err, flows.ErrUnsupported):
		return exitFailed, "if you know that the server supports PKCE: " + e.atServer("", "--assume-pkce"), true
	case oauth.IsCode(err, oauth.CodeInvalidTarget) && !errors.Is(err, mcplogin.ErrLoginRequired):
		return exitFailed, "the server may refuse the resource parameter: " + e.atServer("", "--no-resource") + "\nwith Microsoft Entra also name the scope: --scope api://APP-ID/SCOPE", true
	case errors.Is(err, mcplogin.ErrRegistration) && oauth.Temporary(err):
		return exitTemporary, "", true
	case errors.Is(err, mcplogin.ErrRegistration):
		return exitFailed, howToRegister(err), true
	}
	return 0, "", false
}

// howToRegister is the way past a server that registers no client.
func howToRegister(err error) string {
	if _, refused := errors.AsType[*oauth.Error](err); !refused && errors.Is(err, mcplogin.ErrNeedsDocument) {
		return "host a client id metadata document (mcp-login client-metadata prints one), then add --client-metadata-url"
	}
	if answer, ok := errors.AsType[*oauth.Error](err); ok && answer.Status == http.StatusForbidden {
		return "ask the vendor to approve your client, or register one there yourself and add --client-id"
	}
	return "register a client there yourself, then add --client-id"
}

// pastResource is the way past metadata for another resource.
func (e *env) pastResource(err *oauth.ResourceError) string {
	if err.Below() {
		return "the server is below this URL: " + e.atServer(err.Resource)
	}
	return fmt.Sprintf("if you trust the server, name its authorization server: %s", e.atServer("", "--issuer", "ISSUER"))
}

// atServer is this command with another URL in the place of the server's. "" is
// the same URL, with more flags; a command that lacks those leaves them to login.
func (e *env) atServer(server string, flags ...string) string {
	words := suggest.MCPLogin("login", "NAME", cmp.Or(server, "URL")).With(flags...)
	switch {
	case len(e.line.path) == 0:
	case server == "" && (e.line.path[0] == "login" || e.line.path[0] == "proxy"):
		words = e.line.with(flags...)
	case server != "":
		words = e.line.again(func(p part) []string {
			if _, err := oauth.CheckURL(p.words[0]); !p.isFlag && err == nil {
				return []string{server}
			}
			return p.words
		})
	}
	return words.String()
}
