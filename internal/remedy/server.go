package remedy

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
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// server is the part of the table for errors that a server caused, or something between
// here and the server.
func (c Call) server(err error) (code int, hint string, ok bool) {
	if errors.Is(err, mcplogin.ErrRegistration) && oauth.Temporary(err) {
		return exit.Temporary, c.faultHint(err), true
	}
	for _, hintFor := range []func(error) string{c.networkHint, c.metadataHint, c.vendorHint, c.answerHint, c.clientHint} {
		if hint := hintFor(err); hint != "" {
			return exit.Failed, hint, true
		}
	}
	return 0, "", false
}

// networkHint is the hint for something between here and the server; "" if nothing is.
func (c Call) networkHint(err error) string {
	var (
		proxy   *oauth.ProxyError
		unknown x509.UnknownAuthorityError
		tlsErr  *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &proxy) && !oauth.Temporary(err):
		return "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or ask the administrator of the proxy"
	case errors.As(err, &unknown):
		return "if your organization issued the certificate, use: --ca-cert FILE"
	case errors.As(err, &tlsErr):
		return c.faultHint(&url.Error{Err: tlsErr})
	case errors.Is(err, http.ErrSchemeMismatch):
		return c.faultHint(err)
	}
	return ""
}

// metadataHint is the hint for metadata that is wrong or missing.
func (c Call) metadataHint(err error) string {
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
		return c.atServer(not.Try)
	case errors.As(err, &not):
		return "check the URL and its path; many servers use /mcp"
	case errors.As(err, &moved):
		return "check the URL and its path; many servers use /mcp. If the other URL is the MCP server: " + c.atServer(moved.To)
	case errors.As(err, &issuer) && issuer.Got == "":
		return "ask its operator to publish the issuer, or if you trust the server, set its endpoints: " +
			c.atServer("", "--issuer", issuer.Want, "--authorization-endpoint", "URL", "--token-endpoint", "URL")
	case errors.As(err, &issuer):
		return "if the vendor runs both, accept this pair: " + c.atServer("", "--accept-issuer", issuer.Want+"="+issuer.Got)
	case errors.As(err, &resource):
		return c.resourceHint(resource)
	case errors.As(err, &unpublished) && !oauth.Temporary(err):
		return "ask its operator to publish the metadata, or if you know its endpoints, set them: " +
			c.atServer("", "--issuer", unpublished.Issuer, "--authorization-endpoint", "URL", "--token-endpoint", "URL")
	case errors.As(err, &none) && !oauth.Temporary(err):
		return "if you know the authorization server of this MCP server, use: " + c.atServer("", "--issuer", "ISSUER")
	case errors.Is(err, oauth.ErrNoAuthorization):
		return "use the server without a token; if only some calls require one, set the authorization server: " + c.atServer("", "--issuer", "ISSUER")
	case errors.Is(err, authcode.ErrNoPKCE) && errors.Is(err, flows.ErrUnsupported):
		return "if you know that the server supports PKCE: " + c.atServer("", "--assume-pkce")
	}
	return ""
}

// answerHint is the hint for a server's answer to a login or a call.
func (c Call) answerHint(err error) string {
	var (
		noIss   *authcode.MissingIssError
		version *mcpprobe.ProtocolError
		tool    *mcpprobe.UnknownToolError
	)
	switch {
	case errors.As(err, &noIss):
		return "the device flow needs no redirect: " + c.atServer("", "--flow", "device") +
			"\nif you know that this server omits iss: " + c.atServer("", "--accept-missing-iss", noIss.Issuer)
	case errors.Is(err, oauth.ErrIssuer): // in the answer that a browser brought
		return "another server may have answered; the device flow, if the vendor offers it, needs no redirect: " + c.atServer("", "--flow", "device")
	case errors.As(err, &version):
		return "if you know a version that the server supports: " + c.testCommand("--protocol", "VERSION")
	case errors.As(err, &tool):
		return c.otherTools(tool)
	case oauth.IsCode(err, oauth.CodeInvalidScope) && !errors.Is(err, mcplogin.ErrLoginRequired):
		return "request fewer scopes: " + c.atServer("", "--scope", "SCOPE")
	case oauth.IsCode(err, oauth.CodeInvalidTarget) && !errors.Is(err, mcplogin.ErrLoginRequired):
		return "the server may reject the resource parameter: " + c.atServer("", "--no-resource")
	}
	return ""
}

// clientHint is the hint for a rejected client, or if no flow can be used.
func (c Call) clientHint(err error) string {
	var others *authcode.RegisteredError
	_, answered := errors.AsType[*oauth.Error](err)
	none := errors.Is(err, mcplogin.ErrRegistration) && !answered // the server registers no clients
	switch {
	case errors.Is(err, authcode.ErrRedirect) && !errors.Is(err, flows.ErrClient):
		return "" // a mistake in the command line
	case errors.Is(err, signin.ErrNobodyPastes) && !none: // every other way was tried
		return "sign in from a terminal (over SSH: ssh -t); or have the browser's answer forwarded to the port of: " + c.atServer("", "--flow", "paste", "--redirect-port", "8085")
	case errors.Is(err, mcplogin.ErrRegistration):
		return c.howToRegister(err)
	case errors.As(err, &others):
		return "the server redirects to its own URL, which you can paste: " + c.atServer("", "--redirect-url", others.URIs[0]) +
			"\nor register a client there yourself, then add --client-id"
	case oauth.IsCode(err, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient) && !errors.Is(err, mcplogin.ErrLoginRequired):
		return "register a client there that can use this flow, then: " + c.atServer("", "--client-id", "ID")
	case errors.Is(err, flows.ErrUnsupported):
		return "show what the server offers: " + c.discoverCommand()
	case errors.Is(err, mcplogin.ErrBound):
		profile, _ := c.subject()
		return "the proxy proves possession of the key with each request: " + c.proxyCommand(cmp.Or(profile, "NAME"))
	}
	return ""
}

// howToRegister is the hint for a server that registers no client.
func (c Call) howToRegister(err error) string {
	if _, refused := errors.AsType[*oauth.Error](err); !refused && errors.Is(err, mcplogin.ErrNeedsDocument) {
		return "host a client ID metadata document (mcp-login client-metadata prints one), then add --client-metadata-url"
	}
	if answer, ok := errors.AsType[*oauth.Error](err); ok && answer.Status == http.StatusForbidden {
		return "ask the vendor to approve your client, or register one there yourself and add --client-id"
	}
	const byHand = "register a client there yourself, then add --client-id"
	switch answer, _ := errors.AsType[*oauth.Error](err); {
	case oauth.IsCode(err, oauth.CodeInvalidRedirectURI):
		return "another redirect URI may work: " + c.atServer("", "--redirect-host", "localhost") + "\nor " + byHand
	case answer != nil && answer.Status == http.StatusUnauthorized:
		return "with an initial access token from the vendor: " + c.atServer("", "--initial-access-token-from", "env:NAME") + "\nor " + byHand
	}
	return byHand
}

// resourceHint is the hint for metadata of another resource.
func (c Call) resourceHint(err *oauth.ResourceError) string {
	if err.Below() {
		return "the server is below this URL: " + c.atServer(err.Resource)
	}
	return fmt.Sprintf("if you trust the server, set its authorization server: %s", c.atServer("", "--issuer", "ISSUER"))
}

// atServer is this command with another URL in the place of the server's. "" is
// the same URL, with more flags; a command that lacks those leaves them to login.
func (c Call) atServer(server string, flags ...string) string {
	profile, typed := c.subject()
	words := suggest.MCPLogin("login", cmp.Or(profile, "NAME"), cmp.Or(server, typed, "URL")).With(flags...)
	switch {
	case len(c.Line.Path) == 0:
	case server == "" && c.signsIn():
		words = c.Line.With(flags...)
	case server != "":
		words = c.Line.Again(func(p commandline.Part) []string {
			if _, err := oauth.CheckURL(p.Words[0]); !p.IsFlag && err == nil {
				return []string{server}
			}
			return p.Words
		})
	}
	return words.String()
}
