package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// Ways of client authentication at the token endpoint (RFC 7591 §2).
const (
	AuthNone              = "none"
	AuthClientSecretBasic = "client_secret_basic"
	AuthClientSecretPost  = "client_secret_post"
)

// authenticate adds who we are to a request (RFC 6749 §2.3).
func (c *Client) authenticate(form url.Values, header http.Header) error {
	switch m := c.authMethod(); m {
	case AuthNone:
		form.Set("client_id", c.App.ID)
	case AuthClientSecretPost:
		form.Set("client_id", c.App.ID)
		form.Set("client_secret", c.App.Secret)
	case AuthClientSecretBasic:
		// RFC 6749 §2.3.1: both are form-encoded first.
		r := http.Request{Header: header}
		r.SetBasicAuth(url.QueryEscape(c.App.ID), url.QueryEscape(c.App.Secret))
	case AuthPrivateKeyJWT:
		return c.assert(form)
	default:
		return fmt.Errorf("client authentication %q: %w", Sanitize(m, maxCode), ErrUnsupported)
	}
	return nil
}

// authMethod is the registered method or, for an app that was registered by
// hand, the first that the server offers and the app can do.
func (c *Client) authMethod() string {
	switch {
	case c.App.AuthMethod != "":
		return c.App.AuthMethod
	case c.App.Key != nil:
		return AuthPrivateKeyJWT
	case c.App.Secret == "":
		return AuthNone
	case !slices.Contains(c.Server.TokenAuthMethods, AuthClientSecretBasic) &&
		slices.Contains(c.Server.TokenAuthMethods, AuthClientSecretPost):
		return AuthClientSecretPost
	}
	return AuthClientSecretBasic // the default of RFC 8414 §2
}
