package oauthtest

import (
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	proofNonce  = "oauthtest-nonce"
	clockWindow = 5 * time.Minute
)

// proofHolds checks the DPoP proof of a token request (RFC 9449 §5 and §8). It
// writes the error response itself.
func (s *Server) proofHolds(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("DPoP") == "" && !s.Proofs.Required {
		return true
	}
	s.nonce(w)
	problem := s.judgeProof(r, "")
	if problem != "" {
		refuse(w, http.StatusBadRequest, problem, "")
	}
	return problem == ""
}

// nonce sends the nonce for the next proof.
func (s *Server) nonce(w http.ResponseWriter) {
	if s.Proofs.Nonce {
		w.Header().Set("DPoP-Nonce", proofNonce)
	}
}

// judgeProof checks a proof (RFC 9449 §4.3); token "" is for a token request.
func (s *Server) judgeProof(r *http.Request, token string) string {
	const invalid = "invalid_dpop_proof"
	list := r.Header.Values("DPoP")
	if len(list) != 1 {
		return invalid
	}
	j, err := readJWT(list[0])
	if err != nil || j.header.Type != "dpop+jwt" || j.header.JWK == nil || j.header.JWK.Private != "" {
		return invalid
	}
	key, err := j.header.JWK.public()
	if err != nil || !j.verify(key) {
		return invalid
	}
	c := j.claims
	sum := sha256.Sum256([]byte(token))
	switch {
	case c.ID == "" || s.jtis[c.ID],
		c.Method != r.Method, c.URL != baseURL(r)+r.URL.Path,
		time.Since(time.Unix(c.IssuedAt, 0)).Abs() > clockWindow,
		token != "" && c.AccessHash != b64(sum[:]), token == "" && c.AccessHash != "":
		return invalid
	case s.Proofs.Nonce && c.Nonce != proofNonce:
		return oauth.CodeUseDPoPNonce
	}
	put(&s.jtis, c.ID, true)
	return ""
}

// thumbprintOf returns the thumbprint of the key of a request's proof; ""
// without a proof.
func thumbprintOf(r *http.Request) string {
	j, err := readJWT(r.Header.Get("DPoP"))
	if err != nil || j.header.JWK == nil {
		return ""
	}
	return j.header.JWK.thumbprint()
}

// assertionHolds checks a client assertion (RFC 7523 §3). Its audience must be
// exactly the issuer.
func (s *Server) assertionHolds(r *http.Request, c *client) bool {
	j, err := readJWT(r.PostForm.Get("client_assertion"))
	if err != nil || c.key == nil || !j.verify(c.key) ||
		r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return false
	}
	now := time.Now()
	cl := j.claims
	fresh := cl.ID != "" && !s.jtis[cl.ID] && now.Before(time.Unix(cl.Expiry, 0)) && !now.Before(time.Unix(cl.IssuedAt, 0))
	put(&s.jtis, cl.ID, true)
	return fresh && cl.Issuer == c.id && cl.Subject == c.id && cl.Audience == s.issuer(r)
}
