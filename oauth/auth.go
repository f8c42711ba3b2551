package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// Client authentication methods of the token endpoint (RFC 7591 §2).
const (
	AuthNone              = "none"
	AuthClientSecretBasic = "client_secret_basic"
	AuthClientSecretPost  = "client_secret_post"
)

// authenticate adds client authentication to a request (RFC 6749 §2.3).
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

// AuthMethod returns the authentication method: the one that the server accepted
// last, else the registered one, else one that the server supports and the app
// has credentials for.
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

// LearnedApp returns the App with the authentication method that the server
// accepted. Store it, so that the next Client starts with that method.
func (c *Client) LearnedApp() App {
	app := c.App
	if accepted := c.accepted.Load(); accepted != nil {
		app.AuthMethod = *accepted
	}
	return app
}

// otherMethod returns an alternative authentication method; "" if none. Some
// servers advertise methods that they do not accept: they require client_id in
// the body in addition to HTTP Basic (PrefectHQ/fastmcp#4600), or reject the
// secret that they issued.
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

// refusesClient reports whether a response may reject the authentication
// method. Not every server uses invalid_client for that, or any code.
func refusesClient(a *response) bool {
	e, ok := errors.AsType[*Error](errorOf(a))
	if !ok {
		return false
	}
	bare := e.Status == http.StatusBadRequest || e.Status == http.StatusUnauthorized || e.Status == http.StatusUnprocessableEntity
	return e.Code == CodeInvalidClient || e.Code == CodeInvalidRequest || e.Code == "" && bare
}
