package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const maxNonce = 1 << 10

// Authorize adds the token to a request to the MCP server. A DPoP token is sent
// with a new proof by App.DPoPKey (RFC 9449 §7.1); nonce is the server's latest
// nonce, "" for none: see [DPoPNonce].
func (a App) Authorize(r *http.Request, t Token, nonce string) error {
	if t.Type != "DPoP" {
		r.Header.Set("Authorization", "Bearer "+t.Access)
		return nil
	}
	if a.DPoPKey == nil {
		return errors.New("the token is bound to a key that is not available")
	}
	proof, err := a.DPoPKey.proof(r.Method, r.URL, t.Access, nonce)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "DPoP "+t.Access)
	r.Header.Set("DPoP", proof)
	return nil
}

// DPoPNonce returns the nonce in a response for the next proof, or "", and
// whether the server rejected the request because it requires that nonce: then
// send it again (RFC 9449 §9). A nonce is valid only for the origin that issued
// it.
func DPoPNonce(resp *http.Response) (nonce string, again bool) {
	nonce = nonceOf(resp.Header)
	if nonce == "" || resp.StatusCode != http.StatusUnauthorized {
		return nonce, false
	}
	for _, ch := range ParseChallenges(resp.Header) {
		again = again || ch.Scheme == "dpop" && ch.Params["error"] == CodeUseDPoPNonce
	}
	return nonce, again
}

// nonceOf reads the DPoP-Nonce header, which has the syntax of a scope-token
// (RFC 9449 §8.1).
func nonceOf(h http.Header) string {
	n := h.Get("DPoP-Nonce")
	if !isScope(n) || len(n) > maxNonce {
		return ""
	}
	return n
}

// proof returns a DPoP proof (RFC 9449 §4.2). Use access "" for a token
// request.
func (k *Key) proof(method string, target *url.URL, access, nonce string) (string, error) {
	signer, err := k.private()
	if err != nil {
		return "", err
	}
	public, err := publicJWK(signer.Public())
	if err != nil {
		return "", err
	}
	c := claims{ID: rand.Text(), Method: method, URL: withoutQuery(target), IssuedAt: time.Now().Unix(), Nonce: nonce}
	if access != "" {
		sum := sha256.Sum256([]byte(access))
		c.AccessHash = b64(sum[:])
	}
	jwt, err := sign(signer, joseHeader{Alg: k.alg, Type: "dpop+jwt", JWK: &public}, c)
	if err != nil {
		return "", fmt.Errorf("sign DPoP proof: %w", err)
	}
	return jwt, nil
}

func withoutQuery(u *url.URL) string {
	bare := *u
	bare.User, bare.RawQuery, bare.ForceQuery, bare.Fragment, bare.RawFragment = nil, "", false, "", ""
	return bare.String()
}

// postToken sends a form to the token endpoint, with a DPoP proof if the app has a
// key. If the server requires a nonce (RFC 9449 §8), it retries once with a new
// proof and client assertion.
func (c *Client) postToken(ctx context.Context, values url.Values) (*response, error) {
	if c.App.DPoPKey == nil {
		return c.post(ctx, c.Server.TokenEndpoint, values, nil)
	}
	a, err := c.postDPoP(ctx, values)
	if err != nil || !IsCode(errorOf(a), CodeUseDPoPNonce) || nonceOf(a.header) == "" {
		return a, err
	}
	return c.postDPoP(ctx, values)
}

// postDPoP sends a form with a DPoP proof and remembers the nonce of the
// response.
func (c *Client) postDPoP(ctx context.Context, values url.Values) (*response, error) {
	endpoint, err := CheckURL(c.Server.TokenEndpoint)
	if err != nil {
		return nil, err
	}
	nonce := ""
	if n := c.nonce.Load(); n != nil {
		nonce = *n
	}
	proof, err := c.App.DPoPKey.proof(http.MethodPost, endpoint, "", nonce)
	if err != nil {
		return nil, err
	}
	a, err := c.post(ctx, c.Server.TokenEndpoint, values, http.Header{"Dpop": {proof}})
	if err != nil {
		return nil, err
	}
	if next := nonceOf(a.header); next != "" {
		c.nonce.Store(&next)
	}
	return a, nil
}
