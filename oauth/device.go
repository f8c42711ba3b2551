package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// Defaults and limits of the device grant.
const (
	defaultInterval     = 5 * time.Second  // RFC 8628 §3.2
	defaultCodeLifetime = 15 * time.Minute // expires_in is REQUIRED; some servers leave it out
	maxInterval         = 5 * time.Minute
	maxCodeLifetime     = 24 * time.Hour
	maxUserCode         = 64
)

// DeviceAuthorization is the response of the device authorization endpoint (RFC
// 8628 §3.2). The user code and URIs are safe to display; DeviceCode is a
// secret and prints as redacted.
type DeviceAuthorization struct {
	DeviceCode              string
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string // "": none, or not at the origin of VerificationURI
	Expiry                  time.Time
	Interval                time.Duration
}

// String hides the device code.
func (d DeviceAuthorization) String() string { return "oauth.DeviceAuthorization{" + d.UserCode + "}" }

// GoString hides the device code under %#v too.
func (d DeviceAuthorization) GoString() string { return d.String() }

// LogValue hides the device code from log/slog.
func (d DeviceAuthorization) LogValue() slog.Value { return slog.StringValue(d.String()) }

// AuthorizeDevice requests a device code (RFC 8628 §3.1). Nil scopes, resource
// "" and nil extra are not sent.
func (c *Client) AuthorizeDevice(ctx context.Context, scopes []string, resource string, extra url.Values) (DeviceAuthorization, error) {
	if c.Server.DeviceAuthorizationEndpoint == "" {
		return DeviceAuthorization{}, fmt.Errorf("device authorization: %w", ErrUnsupported)
	}
	form := make(url.Values)
	for k, v := range extra {
		form[k] = v
	}
	setOptional(form, resource, scopes)
	// RFC 8628 §3.1 requires it of clients that do not authenticate; dex and
	// others require it of all.
	form.Set("client_id", c.App.ID)
	a, err := c.post(ctx, c.Server.DeviceAuthorizationEndpoint, form, nil)
	if err != nil {
		return DeviceAuthorization{}, err
	}
	if err := errorOf(a); err != nil {
		return DeviceAuthorization{}, err
	}
	return parseDevice(a)
}

// DeviceToken polls once (RFC 8628 §3.4). Until the user approves, the error is
// an *Error with CodeAuthorizationPending or CodeSlowDown, with any HTTP
// status.
func (c *Client) DeviceToken(ctx context.Context, deviceCode, resource string) (Token, error) {
	form := url.Values{"grant_type": {GrantDeviceCode}, "device_code": {deviceCode}}
	setOptional(form, resource, nil)
	return c.Token(ctx, form)
}

type deviceResponse struct {
	DeviceCode   string          `json:"device_code"`
	UserCode     string          `json:"user_code"`
	URI          string          `json:"verification_uri"`
	URL          string          `json:"verification_url"` // Google's name for it
	URIComplete  string          `json:"verification_uri_complete"`
	URLComplete  string          `json:"verification_url_complete"`
	ExpiresIn    json.RawMessage `json:"expires_in"`
	PollInterval json.RawMessage `json:"interval"`
}

func parseDevice(a *response) (DeviceAuthorization, error) {
	var body deviceResponse
	if err := a.decode(&body); err != nil {
		return DeviceAuthorization{}, err
	}
	bad := func(what string) (DeviceAuthorization, error) {
		return DeviceAuthorization{}, fmt.Errorf("%w: %s sent %s", ErrAnswer, a.url, what)
	}
	if body.DeviceCode == "" || !isVSChar(body.DeviceCode, maxToken) {
		return bad("no usable device code")
	}
	if !isUserCode(body.UserCode) {
		return bad("no user code that can be shown")
	}
	if body.URI == "" {
		body.URI = body.URL
	}
	uri, err := CheckURL(body.URI)
	if err != nil {
		return DeviceAuthorization{}, fmt.Errorf("%w: verification_uri of %s: %w", ErrAnswer, a.url, err)
	}
	if body.URIComplete == "" {
		body.URIComplete = body.URLComplete
	}
	d := DeviceAuthorization{
		DeviceCode: body.DeviceCode, UserCode: body.UserCode,
		VerificationURI: uri.String(), VerificationURIComplete: complete(uri, body.URIComplete),
		Interval: defaultInterval, Expiry: a.sent.Add(defaultCodeLifetime),
	}
	if s, ok := seconds(body.PollInterval); ok {
		d.Interval = min(max(s, time.Second), maxInterval)
	}
	if s, ok := seconds(body.ExpiresIn); ok {
		d.Expiry = a.sent.Add(min(s, maxCodeLifetime))
	}
	return d, nil
}

// complete returns verification_uri_complete if it has the origin of uri, else
// "": a user who scans its QR code would not visit the host that the text
// names.
func complete(uri *url.URL, raw string) string {
	u, err := CheckURL(raw)
	if err != nil || !netcheck.SameOrigin(u, uri) {
		return ""
	}
	return u.String()
}

// isUserCode reports whether s is a code that users can type and that is safe
// in a terminal.
func isUserCode(s string) bool {
	if s == "" || len(s) > maxUserCode || strings.TrimSpace(s) != s {
		return false
	}
	return ascii.Only(s, func(r rune) bool { return ascii.Alphanumeric(r) || strings.ContainsRune("-_. ", r) })
}
