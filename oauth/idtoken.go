package oauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// IDTokenExpiry returns the exp claim of an id_token (OpenID Connect Core §2).
// It does not verify the signature: the token came from the token endpoint over
// TLS (§3.1.3.7), and this client only presents it to others.
func IDTokenExpiry(idToken string) (time.Time, error) {
	expiry, err := jwtExpiry(idToken)
	if err != nil {
		return time.Time{}, fmt.Errorf("id_token: %w", err)
	}
	return expiry, nil
}

// jwtExpiry returns the exp claim of a JWT without verifying the signature.
func jwtExpiry(token string) (time.Time, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, errors.New("is not a signed JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}, errors.New("payload is not base64url")
	}
	var claims struct {
		Expiry json.RawMessage `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return time.Time{}, errors.New("payload is not JSON")
	}
	expiry := unixTime(claims.Expiry)
	if expiry.IsZero() {
		return time.Time{}, errors.New("has no exp claim")
	}
	return expiry, nil
}
