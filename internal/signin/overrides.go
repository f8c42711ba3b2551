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

// Overrides are server overrides: options for servers that do not follow the
// specification. They are stored with the credential.
type Overrides struct {
	Issuer, Audience       string
	AcceptIssuer           string // LISTED=PUBLISHED
	AcceptMissingIss       string // an issuer that omits iss from its authorization responses
	NoResource, UseIDToken bool
	Endpoints              mcplogin.Endpoints
}

// apply validates the options and applies them to those of a login.
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
