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

// ClientMetadata is what a registration asks for (RFC 7591 §2). Empty fields
// are not sent, but for lists that are empty and not nil: a client without
// redirection has to say so, or the defaults of §2 (response type "code", which
// needs a redirect URI) are taken for it.
type ClientMetadata struct {
	ClientName      string   `json:"client_name,omitempty"`
	ClientURI       string   `json:"client_uri,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"` // OpenID Connect Registration §2
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitzero"`
	RedirectURIs    []string `json:"redirect_uris,omitzero"`
	TokenAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	TokenAuthAlg    string   `json:"token_endpoint_auth_signing_alg,omitempty"` // of private_key_jwt
	// JWKS is the public key for private_key_jwt: see [Key.PublicSet].
	JWKS json.RawMessage `json:"jwks,omitempty"`
}

// Register makes a client at an authorization server (RFC 7591 §3). Where m
// leaves them open the application type is native and the authentication
// method the simplest that the server offers. InitialAccessToken "" is not
// sent. Without a registration endpoint it returns ErrUnsupported.
//
// Where a server refuses the redirect URIs of a client that needs none, or the
// scope, another legal form is sent: each once, and only after a refusal.
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

// submit sends a registration and, where it is refused, the variants of it
// that the refusal leaves open. It returns what was accepted.
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

// explain says what a refusal to register asks of the person.
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

// Deregister deletes a client (RFC 7592 §2.3). Without the handle that
// registration may return it is ErrUnsupported.
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

// simplestAuth prefers no secret: what is not stored cannot leak.
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
	app.Key, app.DPoPKey = nil, nil // ours to choose: nobody else may know them
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
	app.Scope, _ = parseScope(body.Scope)                         // unusable: as if not sent
	none := app.RedirectURIs != nil && len(app.RedirectURIs) == 0 // said so: it took none of them
	if !none && !slices.ContainsFunc(app.RedirectURIs, func(uri string) bool { _, err := CheckURL(uri); return err == nil }) {
		app.RedirectURIs = asked.RedirectURIs
	}
	if _, err := CheckURL(app.RegistrationURI); err != nil || !ValidToken(app.RegistrationToken) {
		app.RegistrationURI, app.RegistrationToken = "", "" // of no use
	}
	return app, nil
}

// negotiateAuth settles what the answer, the metadata and the request say of the
// authentication method. The answer counts unless the metadata contradicts it;
// if neither says anything, a secret is used as RFC 7591 §2 has it by default.
// Servers that issue a secret to a client that asked for none want it in the
// body (upstash/context7#2009).
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

// maxUnix is the end of the year 9999, the last that JSON can hold.
const maxUnix = 253402300799

// unixTime reads seconds since 1970 (RFC 7591 §3.2.1). 0 means never.
func unixTime(raw json.RawMessage) time.Time {
	n, ok := number(raw)
	if !ok || n > maxUnix {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}
