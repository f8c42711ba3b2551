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

// Revoke revokes a token (RFC 7009 §2.1). A token unknown to the server counts
// as revoked (§2.2). Hint is HintRefreshToken, HintAccessToken or "". It returns
// ErrUnsupported if the server has no revocation endpoint or cannot revoke this
// type of token (§2.2.1), such as self-contained access tokens.
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
