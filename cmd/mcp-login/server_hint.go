package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// serverVerdict is the part of verdict about what a server, or something before
// it, makes impossible: the way past it.
func (e *env) serverVerdict(err error) (code int, hint string, ok bool) {
	if errors.Is(err, mcplogin.ErrRegistration) && oauth.Temporary(err) {
		return exitTemporary, e.pastFault(err), true
	}
	for _, past := range []func(error) string{e.pastNetwork, e.pastMetadata, e.pastAnswer, e.pastClient} {
		if hint := past(err); hint != "" {
			return exitFailed, hint, true
		}
	}
	return 0, "", false
}

// pastNetwork is the way past what stands before a server; "" if nothing does.
func (e *env) pastNetwork(err error) string {
	var (
		proxy   *oauth.ProxyError
		unknown x509.UnknownAuthorityError
		tlsErr  *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &proxy) && !oauth.Temporary(err):
		return "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or ask the administrator of the proxy"
	case errors.As(err, &unknown):
		return "if the certificate is your organization's, name its file: --ca-cert FILE"
	case errors.As(err, &tlsErr):
		return e.pastFault(&url.Error{Err: tlsErr})
	}
	return ""
}

// pastMetadata is the way past what a server publishes, or does not.
func (e *env) pastMetadata(err error) string {
	var (
		not         *oauth.NotServerError
		issuer      *oauth.IssuerError
		resource    *oauth.ResourceError
		none        *oauth.NoMetadataError
		unpublished *oauth.UnpublishedError
		moved       *oauth.RedirectError
	)
	switch {
	case errors.As(err, &not) && not.Try != "":
		return e.atServer(not.Try)
	case errors.As(err, &not):
		return "check the URL, and its path: many servers are at /mcp"
	case errors.As(err, &moved):
		return "check the URL, and its path: many servers are at /mcp; if the other is the MCP server: " + e.atServer(moved.To)
	case errors.As(err, &issuer) && issuer.Got == "":
		return "its operator must publish the issuer; if you trust the server, name its endpoints: " +
			e.atServer("", "--issuer", issuer.Want, "--authorization-endpoint", "URL", "--token-endpoint", "URL")
	case errors.As(err, &issuer):
		return "if the vendor runs both, accept exactly this pair: " + e.atServer("", "--accept-issuer", issuer.Want+"="+issuer.Got)
	case errors.As(err, &resource):
		return e.pastResource(resource)
	case errors.As(err, &unpublished) && !oauth.Temporary(err):
		return "its operator must publish its metadata; if you know its endpoints, name them: " +
			e.atServer("", "--issuer", unpublished.Issuer, "--authorization-endpoint", "URL", "--token-endpoint", "URL")
	case errors.As(err, &none) && !oauth.Temporary(err):
		return "if you know the authorization server of this MCP server, name it: " + e.atServer("", "--issuer", "ISSUER")
	case errors.Is(err, oauth.ErrNoAuthorization):
		return "use the server without a token; if only some calls want one, name the authorization server: " + e.atServer("", "--issuer", "ISSUER")
	case errors.Is(err, authcode.ErrNoPKCE) && errors.Is(err, flows.ErrUnsupported):
		return "if you know that the server supports PKCE: " + e.atServer("", "--assume-pkce")
	}
	return ""
}

// pastAnswer is the way past a server's answer to a login or a call.
func (e *env) pastAnswer(err error) string {
	var (
		noIss   *authcode.MissingIssError
		version *mcpprobe.ProtocolError
	)
	switch {
	case errors.As(err, &noIss):
		return "the device flow needs no redirect: " + e.atServer("", "--flow", "device") +
			"\nif you know that this server leaves its name out: " + e.atServer("", "--accept-missing-iss", noIss.Issuer)
	case errors.Is(err, oauth.ErrIssuer): // in the answer that a browser brought
		return "another server may have answered; if the vendor offers the device flow, it needs no redirect: " + e.atServer("", "--flow", "device")
	case errors.As(err, &version):
		return "if you know a version that the server supports: " + e.testCommand("--protocol", "VERSION")
	case oauth.IsCode(err, oauth.CodeInvalidScope) && !errors.Is(err, mcplogin.ErrLoginRequired):
		return "ask for fewer scopes: " + e.atServer("", "--scope", "SCOPE")
	case oauth.IsCode(err, oauth.CodeInvalidTarget) && !errors.Is(err, mcplogin.ErrLoginRequired):
		return "the server may refuse the resource parameter: " + e.atServer("", "--no-resource") + "\nwith Microsoft Entra also name the scope: --scope api://APP-ID/SCOPE"
	}
	return ""
}

// pastClient is the way past the refusal of a client, or of every flow.
func (e *env) pastClient(err error) string {
	var others *authcode.RegisteredError
	switch {
	case errors.Is(err, authcode.ErrRedirect) && !errors.Is(err, flows.ErrClient):
		return "" // a mistake in the command line
	case errors.Is(err, mcplogin.ErrRegistration):
		return e.howToRegister(err)
	case errors.As(err, &others):
		return "the server sends the browser to its own address, which can be pasted: " + e.atServer("", "--redirect-url", others.URIs[0]) +
			"\nor register a client there yourself, then add --client-id"
	case errors.Is(err, errNobodyPastes):
		return "sign in from a terminal; or have the browser's answer forwarded to the port of: " + e.atServer("", "--flow", "paste", "--redirect-port", "8085")
	case oauth.IsCode(err, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient) && !errors.Is(err, mcplogin.ErrLoginRequired):
		return "register a client there that may use this flow, then: " + e.atServer("", "--client-id", "ID")
	case errors.Is(err, flows.ErrUnsupported):
		return "see what the server offers: " + e.discoverCommand()
	case errors.Is(err, mcplogin.ErrBound):
		profile, _ := e.subject()
		return "the proxy proves the key with each request: " + e.proxyCommand(cmp.Or(profile, "NAME"))
	}
	return ""
}

// howToRegister is the way past a server that registers no client.
func (e *env) howToRegister(err error) string {
	if _, refused := errors.AsType[*oauth.Error](err); !refused && errors.Is(err, mcplogin.ErrNeedsDocument) {
		return "host a client id metadata document (mcp-login client-metadata prints one), then add --client-metadata-url"
	}
	if answer, ok := errors.AsType[*oauth.Error](err); ok && answer.Status == http.StatusForbidden {
		return "ask the vendor to approve your client, or register one there yourself and add --client-id"
	}
	const byHand = "register a client there yourself, then add --client-id"
	switch answer, _ := errors.AsType[*oauth.Error](err); {
	case oauth.IsCode(err, oauth.CodeInvalidRedirectURI):
		return "another redirect URI may do: " + e.atServer("", "--redirect-host", "localhost") + "\nor " + byHand
	case answer != nil && answer.Status == http.StatusUnauthorized:
		return "with an initial access token of the vendor: " + e.atServer("", "--initial-access-token-from", "env:NAME") + "\nor " + byHand
	}
	return byHand
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
	profile, typed := e.subject()
	words := suggest.MCPLogin("login", cmp.Or(profile, "NAME"), cmp.Or(server, typed, "URL")).With(flags...)
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
