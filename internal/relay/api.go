package relay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	maxBody  = 32 << 10
	maxClaim = 200 // characters of a claim
	// hold is the duration of a long poll, below the timeouts of common proxies.
	hold = 25 * time.Second
	// reread is how often a long poll rereads the session, because a notification
	// may be lost.
	reread      = 5 * time.Second
	retryCodes  = 5 // attempts to generate an unused user code
	pollSeconds = 1
)

// opening is what a client sends to open a session.
type opening struct {
	AuthorizationURL string `json:"authorization_url"`
	Server           string `json:"server"`
	Issuer           string `json:"issuer"`
	Label            string `json:"label"`
}

// opened is the response. The names are those of RFC 8628 §3.2.
type opened struct {
	ID                      string `json:"id"`
	Secret                  string `json:"secret"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	RedirectURI             string `json:"redirect_uri"`
	ExpiresIn               int    `json:"expires_in"`
	Interval                int    `json:"interval"`
}

func (r *Relay) serveInfo(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"name":                      "mcp-login relay",
		"redirect_uri":              r.redirectURI(),
		"client_metadata_uri":       r.cfg.BaseURL + MetadataPath,
		"client_token_required":     !r.cfg.Public,
		"expires_in":                int(r.cfg.Limits.Lifetime.Seconds()),
		"max_authorization_url":     maxAuthorizationURL,
		"authorization_url_schemes": []string{"https"},
	})
}

// serveMetadata serves the client ID metadata document of the relay's redirect
// URI (draft-ietf-oauth-client-id-metadata-document). The client it describes is
// public: it has no secret that the relay could know.
func (r *Relay) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	writeJSON(w, http.StatusOK, map[string]any{
		"client_id":                  r.cfg.BaseURL + MetadataPath,
		"client_name":                "mcp-login",
		"client_uri":                 r.cfg.BaseURL,
		"application_type":           "web",
		"redirect_uris":              []string{r.redirectURI()},
		"grant_types":                []string{"authorization_code", "refresh_token"},
		"response_types":             []string{"code"},
		"token_endpoint_auth_method": "none",
	})
}

func (r *Relay) serveOpen(w http.ResponseWriter, req *http.Request) {
	if !r.cfg.Public && !equal(hash(bearer(req)), hash(r.cfg.Token)) {
		if !r.wrongTokens.allow(r.address(req)) {
			r.tooMany(w, req)
			return
		}
		r.metrics.refused.Inc()
		writeError(w, http.StatusUnauthorized, "invalid_client_token")
		return
	}
	var o opening
	if err := json.NewDecoder(req.Body).Decode(&o); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request")
		return
	}
	state, err := r.checkAuthorizationURL(o.AuthorizationURL)
	if refusal, ok := errors.AsType[*urlError](err); ok {
		r.metrics.refused.Inc()
		writeError(w, http.StatusUnprocessableEntity, refusal.code)
		return
	}
	if !r.opened.allow(r.address(req)) {
		r.tooMany(w, req)
		return
	}
	s, secret, err := r.open(req.Context(), o, state)
	if err != nil {
		r.metrics.refused.Inc()
		w.Header().Set("Retry-After", "30")
		writeError(w, http.StatusServiceUnavailable, "unavailable")
		return
	}
	r.metrics.opened.Inc()
	code := shownCode(s.UserCode)
	writeJSON(w, http.StatusCreated, opened{
		ID: s.ID, Secret: secret, UserCode: code,
		VerificationURI: r.cfg.BaseURL, VerificationURIComplete: r.cfg.BaseURL + "/s/" + code,
		RedirectURI: r.redirectURI(), ExpiresIn: int(r.cfg.Limits.Lifetime.Seconds()), Interval: pollSeconds,
	})
}

// open stores a new session.
func (r *Relay) open(ctx context.Context, o opening, state string) (Session, string, error) {
	secret, now := newSecret(), time.Now().UTC()
	s := Session{
		ID: newSecret(), SecretHash: hash(secret), StateHash: hash(state), AuthorizationURL: o.AuthorizationURL,
		Server: oauth.Sanitize(o.Server, maxClaim), Issuer: oauth.Sanitize(o.Issuer, maxClaim), Label: oauth.Sanitize(o.Label, maxClaim),
		Opened: now, Expiry: now.Add(r.cfg.Limits.Lifetime),
	}
	var err error
	for range retryCodes {
		s.UserCode = newUserCode()
		if err = r.cfg.Sessions.Add(ctx, s); !errors.Is(err, errTaken) {
			break
		}
	}
	return s, secret, err
}

// client returns the session of a request's ID if the request has its secret.
func (r *Relay) client(w http.ResponseWriter, req *http.Request) (Session, bool) {
	s, err := r.cfg.Sessions.Find(req.Context(), Key{ID: req.PathValue("id")})
	switch {
	case errors.Is(err, ErrEnded):
		writeError(w, http.StatusGone, "expired")
	case err != nil:
		writeError(w, http.StatusServiceUnavailable, "unavailable")
	case !s.isClient(bearer(req)):
		writeError(w, http.StatusUnauthorized, "invalid_secret")
	default:
		return s, true
	}
	return s, false
}

// serveAwait is a long poll for the authorization response. The response can be
// read again until the client ends the session, in case a reply is lost.
func (r *Relay) serveAwait(w http.ResponseWriter, req *http.Request) {
	changed, stop := r.cfg.Sessions.Watch(req.PathValue("id")) // before the first read
	defer stop()
	r.metrics.waiting.Inc()
	defer r.metrics.waiting.Dec()
	over := time.NewTimer(hold)
	defer over.Stop()
	for {
		s, ok := r.client(w, req)
		switch {
		case !ok:
			return
		case s.Outcome != "":
			writeError(w, http.StatusGone, "ended")
			return
		case s.Query != "":
			writeJSON(w, http.StatusOK, map[string]string{"query": s.Query})
			return
		}
		if !r.pause(req.Context(), changed, over.C) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
}

// pause waits until the session may have changed. It returns false if the long
// poll ends.
func (r *Relay) pause(ctx context.Context, changed <-chan struct{}, over <-chan time.Time) bool {
	again := time.NewTimer(reread)
	defer again.Stop()
	select {
	case <-changed:
	case <-again.C:
	case <-over:
		return false
	case <-r.draining:
		return false
	case <-ctx.Done():
		return false
	}
	return true
}

func (r *Relay) serveEnd(w http.ResponseWriter, req *http.Request) {
	outcome := Outcome(req.URL.Query().Get("outcome"))
	if r.metrics.ended[outcome] == nil {
		writeError(w, http.StatusBadRequest, "invalid_outcome")
		return
	}
	s, ok := r.client(w, req)
	if !ok {
		return
	}
	first := false
	_, err := r.cfg.Sessions.Change(req.Context(), s.ID, func(s *Session) error {
		first = s.Outcome == ""
		s.end(outcome)
		return nil
	})
	if err != nil && !errors.Is(err, ErrEnded) {
		writeError(w, http.StatusServiceUnavailable, "unavailable")
		return
	}
	if first {
		took := time.Since(s.Opened)
		r.metrics.ended[outcome].Inc()
		r.metrics.duration.Update(took.Seconds())
		r.cfg.Log.Info("session ended", "outcome", string(outcome), "seconds", int(took.Seconds()))
	}
	w.WriteHeader(http.StatusNoContent)
}

func bearer(req *http.Request) string {
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	return token
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a disconnected client retries
}

func writeError(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]string{"error": code})
}
