package signin

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/oauth"
)

// Overrides are what the user must say about servers that do not follow, or do
// not say, what the specification wants. They are stored with the credential.
type Overrides struct {
	Issuer, Audience       string
	AcceptIssuer           string // LISTED=PUBLISHED
	AcceptMissingIss       string // an issuer that leaves its name out of its answers
	NoResource, UseIDToken bool
	Endpoints              mcplogin.Endpoints
}

// apply checks the options and puts them into a login's.
func (o *Overrides) apply(login *mcplogin.LoginOptions) error {
	for _, e := range []struct{ flag, url string }{
		{"issuer", o.Issuer},
		{"accept-missing-iss", o.AcceptMissingIss},
		{"authorization-endpoint", o.Endpoints.Authorization},
		{"device-authorization-endpoint", o.Endpoints.DeviceAuthorization},
		{"token-endpoint", o.Endpoints.Token},
		{"registration-endpoint", o.Endpoints.Registration},
		{"revocation-endpoint", o.Endpoints.Revocation},
	} {
		if e.url == "" {
			continue
		}
		if _, err := oauth.CheckURL(e.url); err != nil {
			return exit.Usage(fmt.Errorf("--%s: %w", e.flag, err))
		}
	}
	if o.AcceptIssuer != "" {
		pair, err := issuerPair(o.AcceptIssuer)
		if err != nil {
			return exit.Usage(fmt.Errorf("--accept-issuer: %w", err))
		}
		login.AcceptIssuer = pair
	}
	login.AcceptMissingIss = o.AcceptMissingIss
	login.Issuer, login.NoResource, login.UseIDToken, login.Endpoints = o.Issuer, o.NoResource, o.UseIDToken, o.Endpoints
	if o.Audience != "" {
		if login.Params == nil {
			login.Params = url.Values{}
		}
		login.Params.Set("audience", o.Audience)
	}
	return nil
}

// issuerPair reads LISTED=PUBLISHED.
func issuerPair(text string) (mcplogin.IssuerPair, error) {
	i := strings.LastIndex(text, "=http")
	if i < 0 {
		return mcplogin.IssuerPair{}, errors.New("requires two URLs, LISTED=PUBLISHED")
	}
	pair := mcplogin.IssuerPair{Listed: text[:i], Published: text[i+1:]}
	for _, issuer := range []string{pair.Listed, pair.Published} {
		if _, err := oauth.CheckURL(issuer); err != nil {
			return mcplogin.IssuerPair{}, err
		}
	}
	return pair, nil
}
