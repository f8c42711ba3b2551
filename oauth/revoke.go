package oauth

import (
	"context"
	"fmt"
	"net/url"
)

// Token type hints of RFC 7009 §2.1.
const (
	HintRefreshToken = "refresh_token"
	HintAccessToken  = "access_token"
)

// Revoke ends a token (RFC 7009). A token that the server does not know counts
// as revoked (§2.2). Hint is HintRefreshToken, HintAccessToken or "". It returns
// ErrUnsupported without a revocation endpoint, and where the server cannot
// revoke tokens of this kind (§2.2.1), such as self-contained access tokens.
func (c *Client) Revoke(ctx context.Context, token, hint string) error {
	if c.Server.RevocationEndpoint == "" {
		return fmt.Errorf("revocation: %w", ErrUnsupported)
	}
	form := url.Values{"token": {token}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	a, err := c.post(ctx, c.Server.RevocationEndpoint, form, nil)
	if err != nil {
		return err
	}
	err = errorOf(a)
	if IsCode(err, CodeUnsupportedTokenType) {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return err
}
