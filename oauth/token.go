package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Grant types of the token endpoint.
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"    // RFC 8628 §3.4
	GrantJWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"     // RFC 7523 §2.1
	GrantTokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693 §2.1
)

// Limits on the values of a token response. Lengths are in bytes.
const (
	maxToken     = 64 << 10
	maxScope     = 16 << 10
	maxExpiresIn = 10 * 365 * 24 * time.Hour
)

// Client sends requests to the token, device authorization and revocation
// endpoints of one authorization server, for one registration.
type Client struct {
	HTTP   *http.Client // use [Guard]
	Server Server
	App    App

	nonce    atomic.Pointer[string] // the last DPoP nonce of the token endpoint
	accepted atomic.Pointer[string] // the authentication method that worked after the first was rejected; nil: none
}

// Token sends a grant to the token endpoint with client authentication (RFC
// 6749 §3.2). An error response is an *Error.
func (c *Client) Token(ctx context.Context, grant url.Values) (Token, error) {
	if c.Server.TokenEndpoint == "" {
		return Token{}, fmt.Errorf("token endpoint: %w", ErrUnsupported)
	}
	a, err := c.postToken(ctx, grant)
	if err != nil {
		return Token{}, err
	}
	if err := errorOf(a); err != nil {
		return Token{}, err
	}
	t, err := parseToken(a, grant)
	if err == nil && t.Type == "DPoP" && c.App.DPoPKey == nil {
		err = fmt.Errorf("%w: %s sent a DPoP token, but the request had no DPoP proof", ErrAnswer, a.url)
	}
	if err != nil {
		c.discard(ctx, a, grant)
		return Token{}, err
	}
	return t, nil
}

// discard revokes the tokens of an unusable response, which are not stored and
// could not be revoked later. It revokes nothing after a refresh, because that
// could revoke the login's other tokens too. It is best effort: the caller
// already has an error to report.
func (c *Client) discard(ctx context.Context, a *response, grant url.Values) {
	var body tokenResponse
	if grant.Get("grant_type") == GrantRefreshToken || a.decode(&body) != nil {
		return
	}
	body = body.tokens()
	_ = c.RevokeToken(ctx, Token{Access: body.Access, Refresh: body.Refresh})
}

// RevokeToken revokes a token that is not stored: its refresh token, which
// invalidates the access token too (RFC 7009 §2.1), else its access token.
func (c *Client) RevokeToken(ctx context.Context, t Token) error {
	switch {
	case t.Refresh != "":
		return c.Revoke(ctx, t.Refresh, HintRefreshToken)
	case t.Access != "":
		return c.Revoke(ctx, t.Access, HintAccessToken)
	}
	return nil
}

// Refresh gets a new token by a refresh token (RFC 6749 §6). If the response has
// no refresh token, the old one stays valid and is returned. Resource "" and nil
// scopes are not sent. An error response without an OAuth error code comes from
// a third party, such as a firewall, and says nothing about the token: it counts
// as temporary.
func (c *Client) Refresh(ctx context.Context, refreshToken, resource string, scopes []string) (Token, error) {
	form := url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {refreshToken}}
	setOptional(form, resource, scopes)
	t, err := c.Token(ctx, form)
	if answer, ok := errors.AsType[*Error](err); ok && answer.Code == "" {
		answer.Foreign = true
	}
	if errors.Is(err, errNotJSON) { // a firewall's page with 200
		err = &Error{Status: http.StatusOK, Endpoint: c.Server.TokenEndpoint, Foreign: true}
	}
	if err != nil {
		return Token{}, err
	}
	if t.Refresh == "" {
		t.Refresh = refreshToken
	}
	return t, nil
}

func setOptional(form url.Values, resource string, scopes []string) {
	if resource != "" {
		form.Set("resource", resource) // RFC 8707 §2, byte for byte
	}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
}

// post sends a form with client authentication and the headers more. If the
// server rejects the authentication method, it retries once with another
// supported method, and keeps that if it works.
func (c *Client) post(ctx context.Context, endpoint string, values url.Values, more http.Header) (*response, error) {
	method := c.AuthMethod()
	a, err := c.postAs(ctx, method, endpoint, values, more)
	if err != nil || !refusesClient(a) {
		return a, err
	}
	other := c.otherMethod(method)
	if other == "" {
		return a, nil
	}
	again, err := c.postAs(ctx, other, endpoint, values, more)
	if err != nil || refusesClient(again) {
		return a, nil // the first error is about the method that the server advertises
	}
	c.accepted.Store(&other)
	return again, nil
}

// postAs sends a form with client authentication by the given method.
func (c *Client) postAs(ctx context.Context, method, endpoint string, values url.Values, more http.Header) (*response, error) {
	form := make(url.Values, len(values)+2)
	for k, v := range values {
		form[k] = v
	}
	header := more.Clone()
	if header == nil {
		header = make(http.Header)
	}
	if err := c.authenticate(method, form, header); err != nil {
		return nil, err
	}
	return postForm(ctx, c.HTTP, endpoint, header, form)
}

// tokenResponse is RFC 6749 §5.1 with the deviations of real servers.
type tokenResponse struct {
	Access    string          `json:"access_token"`
	Refresh   string          `json:"refresh_token"`
	Type      string          `json:"token_type"`
	ExpiresIn json.RawMessage `json:"expires_in"` // a number or a string
	Scope     json.RawMessage `json:"scope"`      // a string or a list
	ID        string          `json:"id_token"`
	Issued    string          `json:"issued_token_type"` // RFC 8693 §2.2.1
	// Slack sends ok, may put the user's token into authed_user, and uses its
	// own token types for bearer tokens.
	OK         bool           `json:"ok"`
	AuthedUser *tokenResponse `json:"authed_user"`
}

// tokens returns the part of the response that has the tokens.
func (body tokenResponse) tokens() tokenResponse {
	if u := body.AuthedUser; body.Access == "" && u != nil {
		return *u
	}
	return body
}

func parseToken(a *response, grant url.Values) (Token, error) {
	var body tokenResponse
	if err := a.decode(&body); err != nil {
		return Token{}, err
	}
	slack := body.OK
	body = body.tokens()
	if slack && (body.Type == "user" || body.Type == "bot") {
		body.Type = "Bearer"
	}
	bad := func(what string) (Token, error) {
		return Token{}, fmt.Errorf("%w: %s sent %s", ErrAnswer, a.url, what)
	}
	kind, ok := tokenType(body.Type, grant.Get("grant_type"))
	switch {
	case !ValidToken(body.Access):
		return bad("an access token that is missing, too long, or has characters that a header cannot contain")
	case !ok:
		return bad("an unknown token type")
	case body.Issued != "" && grant.Has("requested_token_type") && body.Issued != grant.Get("requested_token_type"):
		return bad("a different type of token than requested")
	case !isVSChar(body.Refresh, maxToken):
		return bad("a refresh token that is too long or has invalid characters")
	case body.ID != "" && !ValidToken(body.ID):
		return bad("an ID token that is too long or has invalid characters")
	}
	scope, ok := parseScope(body.Scope)
	if !ok {
		return bad("an invalid scope")
	}
	t := Token{Access: body.Access, Refresh: body.Refresh, Type: kind, Scope: scope, ID: body.ID}
	if ttl, ok := lifetime(a, body); ok {
		// Count from when the request was sent, so that Expiry is never later
		// than the server's.
		t.Expiry = a.sent.Add(min(ttl, maxExpiresIn)).UTC().Round(0)
	}
	return t, nil
}

// lifetime returns how long an access token is valid. If the response has no
// expires_in, a JWT has exp (danny-avila/LibreChat#13248). It is relative to
// the server's clock, so compare it with the Date header.
func lifetime(a *response, body tokenResponse) (time.Duration, bool) {
	if ttl, ok := seconds(body.ExpiresIn); ok {
		return ttl, true
	}
	expiry, err := jwtExpiry(body.Access)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		now = a.sent
	}
	ttl := expiry.Sub(now)
	return ttl, ttl > 0
}
