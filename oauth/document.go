package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// CheckClientURL returns an error unless the URL can be a client ID, and so the
// URL of a client ID metadata document: https, with a path, without dot
// segments, user name or fragment.
func CheckClientURL(raw string) error {
	u, err := CheckURL(raw)
	if err != nil {
		return fmt.Errorf("client ID: %w", err)
	}
	refuse := func(why string) error { return fmt.Errorf("client ID: %w", &URLError{URL: displayURL(u), Reason: why}) }
	switch {
	case u.Scheme != "https":
		return refuse("is not https")
	case u.Path == "" || u.Path == "/":
		return refuse("has no path")
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if part == "." || part == ".." {
			return refuse("has a dot segment")
		}
	}
	return nil
}

// ClientDocument returns the client ID metadata document to host at the URL id.
// Fields that m leaves empty get the values of a native public client. An
// authorization server that advertises ClientIDMetadataDocument then accepts
// App{ID: id} without registration.
func ClientDocument(id string, m ClientMetadata) ([]byte, error) {
	if err := CheckClientURL(id); err != nil {
		return nil, err
	}
	if m.ApplicationType == "" {
		m.ApplicationType = "native"
	}
	if m.TokenAuthMethod == "" {
		m.TokenAuthMethod = AuthNone
	}
	switch {
	case m.ClientName == "":
		return nil, errors.New("client document: no client name")
	case len(m.RedirectURIs) == 0:
		return nil, errors.New("client document: no redirect URI")
	case m.TokenAuthMethod != AuthNone && m.TokenAuthMethod != AuthPrivateKeyJWT:
		return nil, fmt.Errorf("client document: authentication %s requires a secret, and a public document cannot hold one", m.TokenAuthMethod)
	case m.TokenAuthMethod == AuthPrivateKeyJWT && m.JWKS == nil:
		return nil, fmt.Errorf("client document: authentication %s requires the public key", m.TokenAuthMethod)
	}
	return json.MarshalIndent(struct {
		ID string `json:"client_id"`
		ClientMetadata
	}{id, m}, "", "  ")
}
