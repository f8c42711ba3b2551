package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// ClientMetadata is what a registration asks for (RFC 7591 §2). Empty fields
// are not sent.
type ClientMetadata struct {
	ClientName      string   `json:"client_name,omitempty"`
	ClientURI       string   `json:"client_uri,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"` // OpenID Connect Registration §2
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitempty"`
	RedirectURIs    []string `json:"redirect_uris,omitempty"`
	TokenAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	Scope           string   `json:"scope,omitempty"`
}

// Register makes a client at an authorization server (RFC 7591 §3). Where m
// leaves them open the application type is native and the authentication
// method the simplest that the server offers. InitialAccessToken "" is not
// sent. Without a registration endpoint it returns ErrUnsupported.
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
	a, err := postJSON(ctx, c, s.RegistrationEndpoint, header, m)
	if err != nil {
		return App{}, fmt.Errorf("register client: %w", err)
	}
	if err := errorOf(a); err != nil {
		return App{}, fmt.Errorf("register client: %w", err)
	}
	return parseApp(a, s, m)
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

func parseApp(a *answer, s Server, asked ClientMetadata) (App, error) {
	var body struct {
		App
		SecretExpiry json.RawMessage `json:"client_secret_expires_at"`
	}
	if err := a.decode(&body); err != nil {
		return App{}, fmt.Errorf("register client: %w", err)
	}
	app := body.App
	if app.ID == "" || !isVSChar(app.ID, maxURL) || !isVSChar(app.Secret, maxToken) {
		return App{}, fmt.Errorf("register client: %w: %s sent no usable client id", ErrAnswer, a.url)
	}
	if unix, ok := seconds(body.SecretExpiry); ok { // 0: never (RFC 7591 §3.2.1)
		app.SecretExpiry = time.Unix(0, 0).Add(unix).UTC()
	}
	app.AuthMethod = agreedAuth(app, s.TokenAuthMethods, asked.TokenAuthMethod)
	return app, nil
}

// agreedAuth settles what the answer, the metadata and the request say of the
// authentication method.
func agreedAuth(app App, offered []string, asked string) string {
	m := app.AuthMethod
	if m == "" || len(offered) > 0 && !slices.Contains(offered, m) {
		m = asked
	}
	if app.Secret == "" {
		return AuthNone
	}
	return m
}
