package ci

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Identity is what a JSON Web Token says of its bearer (RFC 7519 §4.1). It is
// for showing and for refusing; nothing here has checked a signature.
type Identity struct {
	Issuer   string
	Subject  string
	Audience []string
	Expiry   time.Time // zero: the token does not say
	Name     string    // by which people know the account: its email, user name or name; "": the token does not say
}

// ParseIdentity reads the claims of a signed JWT (RFC 7515 §3.1). It returns
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
		Email    any      `json:"email"` // a server may send anything, which must not hide the subject
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

// Account names the bearer as people know it, safe to print.
func (id Identity) Account() string {
	if id.Name != "" {
		return Escape(id.Name)
	}
	return orUnknown(id.Subject)
}

// audience is one string or many (RFC 7519 §4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// Expect returns ErrIdentity unless the identity is of this issuer and
// subject. An empty expectation is not compared.
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

// String says who it is, safe to print.
func (id Identity) String() string {
	return fmt.Sprintf("%s of %s", orUnknown(id.Subject), orUnknown(id.Issuer))
}

func orUnknown(s string) string {
	if s = Escape(s); s == "" {
		return "(unknown)"
	}
	return s
}
