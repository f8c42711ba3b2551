package oauth

import (
	"errors"
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
func (c *Client) authenticate(method string, form url.Values, header http.Header) error {
	switch method {
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
		return c.addAssertion(form)
	default:
		return fmt.Errorf("client authentication %q: %w", Sanitize(method, maxCode), ErrUnsupported)
	}
	return nil
}

// AuthMethod returns how the client authenticates: as the server accepted it
// last, else as it was registered or, for an app that was registered by hand, by
// the first method that the server offers and the app can do.
func (c *Client) AuthMethod() string {
	if accepted := c.accepted.Load(); accepted != nil {
		return *accepted
	}
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

// LearnedApp returns the registration with what the server taught of it: the way
// of authentication that it accepts. Store it, so that the next client begins
// with that.
func (c *Client) LearnedApp() App {
	app := c.App
	if accepted := c.accepted.Load(); accepted != nil {
		app.AuthMethod = *accepted
	}
	return app
}

// otherMethod returns how else the client could authenticate; "": in no other
// way. Servers offer methods that they do not accept: they want client_id in
// the body even beside HTTP Basic (PrefectHQ/fastmcp#4600), or no secret of a
// client that they issued one to.
func (c *Client) otherMethod(refused string) string {
	if c.App.Secret == "" || refused == AuthPrivateKeyJWT {
		return ""
	}
	offered := c.Server.TokenAuthMethods
	for _, m := range []string{AuthClientSecretPost, AuthClientSecretBasic, AuthNone} {
		if m != refused && (slices.Contains(offered, m) || len(offered) == 0 && m != AuthNone) {
			return m
		}
	}
	return ""
}

// refusesClient reports whether an answer may be about how the client
// authenticated. Not every server has invalid_client for that, or any code.
func refusesClient(a *response) bool {
	e, ok := errors.AsType[*Error](errorOf(a))
	if !ok {
		return false
	}
	bare := e.Status == http.StatusBadRequest || e.Status == http.StatusUnauthorized || e.Status == http.StatusUnprocessableEntity
	return e.Code == CodeInvalidClient || e.Code == CodeInvalidRequest || e.Code == "" && bare
}
