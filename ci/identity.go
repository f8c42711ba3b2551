package ci

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Identity has the claims of a JSON Web Token about its subject (RFC 7519
// §4.1). The signature is not verified, so use it only to display or to reject
// a token.
type Identity struct {
	Issuer   string
	Subject  string
	Audience []string
	Expiry   time.Time // zero: no exp claim
	Name     string    // of the account, for display: email, user name or name; "": unknown
}

// ParseIdentity parses the claims of a signed JWT (RFC 7515 §3.1). It returns
// ErrIdentity for anything else, such as an opaque access token.
func ParseIdentity(token string) (Identity, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Identity{}, fmt.Errorf("%w: the token is not a signed JWT", ErrIdentity)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Identity{}, fmt.Errorf("%w: the token's claims are not base64url", ErrIdentity)
	}
	var claims struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience audience `json:"aud"`
		Expiry   float64  `json:"exp"`
		Email    any      `json:"email"` // any type, so that an unexpected one is not an error
		Username any      `json:"preferred_username"`
		Name     any      `json:"name"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Identity{}, fmt.Errorf("%w: the token's claims are not the expected JSON", ErrIdentity)
	}
	id := Identity{Issuer: claims.Issuer, Subject: claims.Subject, Audience: claims.Audience}
	if claims.Expiry > 0 {
		id.Expiry = time.Unix(int64(claims.Expiry), 0).UTC()
	}
	for _, claim := range []any{claims.Email, claims.Username, claims.Name} { // OpenID Connect Core §5.1
		if name, ok := claim.(string); ok && id.Name == "" {
			id.Name = name
		}
	}
	return id, nil
}

// Account returns the name of the account for display, safe to print.
func (id Identity) Account() string {
	if id.Name != "" {
		return Escape(id.Name)
	}
	return orUnknown(id.Subject)
}

// audience is one string or an array of strings (RFC 7519 §4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// Expect returns ErrIdentity unless the identity has this issuer and subject.
// An empty argument is not compared.
func (id Identity) Expect(issuer, subject string) error {
	if issuer != "" && id.Issuer != issuer {
		return fmt.Errorf("%w: the issuer is %q, not %q", ErrIdentity, Escape(id.Issuer), issuer)
	}
	if subject != "" && id.Subject == "" {
		return fmt.Errorf("%w: the token names no subject, but %q is expected", ErrIdentity, subject)
	}
	if subject != "" && id.Subject != subject {
		return fmt.Errorf("%w: the subject is %q, not %q", ErrIdentity, Escape(id.Subject), subject)
	}
	return nil
}

func (id Identity) checkAudience(want string) error {
	if want == "" || slices.Contains(id.Audience, want) {
		return nil
	}
	return fmt.Errorf("%w: it is for the audience %q, not %q", ErrIdentity, Escape(strings.Join(id.Audience, " ")), want)
}

// String returns subject and issuer, safe to print.
func (id Identity) String() string {
	return fmt.Sprintf("%s of %s", orUnknown(id.Subject), orUnknown(id.Issuer))
}

func orUnknown(s string) string {
	if s = Escape(s); s == "" {
		return "(unknown)"
	}
	return s
}
