package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// ClientMetadata is the request of a dynamic registration (RFC 7591 §2). Empty
// fields are not sent, except empty non-nil lists: a client without redirects
// has to send those, because otherwise the defaults of §2 apply (response type
// "code", which needs a redirect URI).
type ClientMetadata struct {
	ClientName      string   `json:"client_name,omitempty"`
	ClientURI       string   `json:"client_uri,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"` // OpenID Connect Registration §2
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitzero"`
	RedirectURIs    []string `json:"redirect_uris,omitzero"`
	TokenAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	TokenAuthAlg    string   `json:"token_endpoint_auth_signing_alg,omitempty"` // for private_key_jwt
	// JWKS is the public key for private_key_jwt: see [Key.PublicSet].
	JWKS json.RawMessage `json:"jwks,omitempty"`
}

// Register registers a client at an authorization server (RFC 7591 §3). By
// default the application type is native, and the authentication method the
// simplest that the server supports. InitialAccessToken "" is not sent. Without
// a registration endpoint it returns ErrUnsupported.
//
// If the server rejects the redirect URIs of a client that needs none, or the
// scope, Register retries with another valid form, each at most once.
func Register(ctx context.Context, c *http.Client, s Server, m ClientMetadata, initialAccessToken string) (App, error) {
	if s.RegistrationEndpoint == "" {
		return App{}, fmt.Errorf("dynamic registration: %w", ErrUnsupported)
	}
	if m.ApplicationType == "" {
		m.ApplicationType = "native"
	}
	if m.TokenAuthMethod == "" {
		m.TokenAuthMethod = simplestAuth(s.TokenAuthMethods)
	}
	var header http.Header
	if initialAccessToken != "" {
		header = bearer(initialAccessToken)
	}
	a, m, err := submit(ctx, c, s.RegistrationEndpoint, header, m)
	if err != nil {
		return App{}, fmt.Errorf("register client: %w%s", err, explain(err, initialAccessToken != ""))
	}
	app, err := parseApp(a, s, m)
	if err != nil {
		return App{}, fmt.Errorf("register client: %w", err)
	}
	return app, nil
}

// submit sends a registration and, after an error, its variants that may avoid
// the error. It returns the accepted metadata.
func submit(ctx context.Context, c *http.Client, endpoint string, header http.Header, m ClientMetadata) (*response, ClientMetadata, error) {
	left := variants()
	for {
		a, err := postJSON(ctx, c, endpoint, header, m)
		if err == nil {
			err = errorOf(a)
		}
		refusal, refused := errors.AsType[*Error](err)
		if !refused {
			return a, m, err
		}
		var again bool
		if m, left, again = nextVariant(m, left, refusal); !again {
			return nil, m, err
		}
	}
}

// explain returns what a registration error means for the user.
func explain(err error, withToken bool) string {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return ""
	case e.Code == CodeInvalidRedirectURI:
		return "; the server does not accept this redirect URI: another host, port or path may be needed"
	case e.Code == CodeInvalidClientMetadata:
		return "; the server does not register clients of this kind, so you may have to register one yourself"
	case (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) && !withToken:
		return "; the server registers only clients that the vendor has approved, those with an initial access token, or those registered on its website"
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return "; the server does not accept this initial access token"
	}
	return ""
}

// Deregister deletes a client (RFC 7592 §2.3). If the registration returned no
// management URI, the error is ErrUnsupported.
func Deregister(ctx context.Context, c *http.Client, a App) error {
	if a.RegistrationURI == "" || a.RegistrationToken == "" {
		return fmt.Errorf("delete client: %w", ErrUnsupported)
	}
	resp, err := send(ctx, c, http.MethodDelete, a.RegistrationURI, bearer(a.RegistrationToken), nil)
	if err != nil {
		return fmt.Errorf("delete client: %w", err)
	}
	if err := errorOf(resp); err != nil {
		return fmt.Errorf("delete client: %w", err)
	}
	return nil
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// simplestAuth returns the simplest supported method. It prefers none: a secret
// that does not exist cannot leak.
func simplestAuth(offered []string) string {
	for _, m := range []string{AuthNone, AuthClientSecretBasic, AuthClientSecretPost} {
		if len(offered) == 0 || slices.Contains(offered, m) {
			return m
		}
	}
	return AuthNone
}

func parseApp(a *response, s Server, asked ClientMetadata) (App, error) {
	var body struct {
		App
		SecretExpiry json.RawMessage `json:"client_secret_expires_at"`
		Scope        json.RawMessage `json:"scope"`
	}
	if err := a.decode(&body); err != nil {
		return App{}, err
	}
	app := body.App
	app.Key, app.DPoPKey = nil, nil // private keys are never the server's to choose
	if app.ID == "" || !isVSChar(app.ID, maxURL) || !isVSChar(app.Secret, maxToken) {
		return App{}, fmt.Errorf("%w: %s sent no usable client ID or secret", ErrAnswer, a.url)
	}
	method, err := negotiateAuth(app, s.TokenAuthMethods, asked.TokenAuthMethod)
	if err != nil {
		return App{}, err
	}
	app.AuthMethod = method
	app.SecretExpiry = unixTime(body.SecretExpiry)
	app.GrantTypes = usableList(app.GrantTypes)
	app.Scope, _ = parseScope(body.Scope)                         // an invalid scope counts as not sent
	none := app.RedirectURIs != nil && len(app.RedirectURIs) == 0 // the server registered none
	if !none && !slices.ContainsFunc(app.RedirectURIs, func(uri string) bool { _, err := CheckURL(uri); return err == nil }) {
		app.RedirectURIs = asked.RedirectURIs
	}
	if _, err := CheckURL(app.RegistrationURI); err != nil || !ValidToken(app.RegistrationToken) {
		app.RegistrationURI, app.RegistrationToken = "", "" // unusable
	}
	return app, nil
}

// negotiateAuth chooses the authentication method from the registration
// response, the server metadata and the request. The response takes precedence
// unless the metadata contradicts it; if both are silent and a secret was
// issued, the default of RFC 7591 §2 applies. Servers that issue a secret to a
// client that requested none expect it in the body (upstash/context7#2009).
func negotiateAuth(app App, offered []string, asked string) (string, error) {
	m := app.AuthMethod
	if m != "" && len(offered) > 0 && !slices.Contains(offered, m) {
		m = asked
	}
	if m == "" {
		m = asked
		if m == AuthNone && app.Secret != "" && len(offered) == 0 {
			m = AuthClientSecretBasic
		}
	}
	switch {
	case m == AuthNone && app.Secret != "":
		return AuthClientSecretPost, nil
	case m == AuthNone:
		return m, nil
	case m == AuthPrivateKeyJWT && asked == m: // the caller has the key
		return m, nil
	case m == AuthClientSecretBasic || m == AuthClientSecretPost:
		if app.Secret == "" {
			return AuthNone, nil
		}
		return m, nil
	}
	return "", fmt.Errorf("client authentication %q: %w", Sanitize(m, maxCode), ErrUnsupported)
}

// maxUnix is the end of the year 9999, the latest time that time.Time can
// marshal.
const maxUnix = 253402300799

// unixTime reads seconds since 1970 (RFC 7591 §3.2.1). 0 and invalid values
// give the zero time.
func unixTime(raw json.RawMessage) time.Time {
	n, ok := number(raw)
	if !ok || n > maxUnix {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}
