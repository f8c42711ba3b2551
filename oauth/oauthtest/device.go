package oauthtest

import (
	"crypto/rand"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	defaultInterval     = 5 * time.Second
	defaultCodeLifetime = 15 * time.Minute
	slowDownStep        = 5 * time.Second // RFC 8628 §3.5
)

// deviceCode is one device authorization.
type deviceCode struct {
	authRequest
	userCode string
	decision string // "": pending; CodeAccessDenied; approved
	begun    time.Time
	expiry   time.Time
	interval time.Duration
	last     time.Time // poll
	polls    int
	used     bool
}

const approved = "approved"

func (s *Server) serveDeviceAuth(w http.ResponseWriter, r *http.Request) {
	c := s.authenticate(w, r)
	if c == nil {
		return
	}
	if !c.mayUseGrant(oauth.GrantDeviceCode) {
		refuse(w, http.StatusBadRequest, oauth.CodeUnauthorizedClient, "the client may not use the device grant")
		return
	}
	a, ok := s.readRequest(w, r, c)
	if !ok {
		return
	}
	d := &deviceCode{authRequest: a, userCode: s.newUserCode(), begun: time.Now(), interval: orDefault(s.Device.Interval, defaultInterval)}
	ttl := orDefault(s.Device.ExpiresIn, defaultCodeLifetime)
	d.expiry = time.Now().Add(ttl)
	code := s.secret("dc")
	put(&s.devices, code, d)
	page := s.issuer(r) + "/device"
	doc := map[string]any{
		"device_code": code, "user_code": d.userCode, "verification_uri": page,
		"expires_in": int(ttl.Seconds()),
	}
	if !s.Device.NoInterval {
		doc["interval"] = int(d.interval.Seconds())
	}
	if !s.Device.NoComplete {
		doc["verification_uri_complete"] = page + "?user_code=" + url.QueryEscape(d.userCode)
	}
	writeJSON(w, http.StatusOK, doc)
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// newUserCode returns a unique code that is easy to type.
func (s *Server) newUserCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	if s.Device.RandomCodes {
		code := strings.Map(func(r rune) rune { // rejection sampling, for a uniform distribution
			if strings.ContainsRune(letters, r) {
				return r
			}
			return -1
		}, rand.Text()+rand.Text())
		if len(code) < 8 {
			return s.newUserCode()
		}
		return code[:4] + "-" + code[4:8]
	}
	s.nextUser++
	code := []byte("WDJB-MJHT")
	for i, n := len(code)-1, s.nextUser; n > 0; i, n = i-1, n/len(letters) {
		code[i] = letters[n%len(letters)]
	}
	return string(code)
}

// pollDevice handles one poll (RFC 8628 §3.5).
func (s *Server) pollDevice(w http.ResponseWriter, r *http.Request, c *client) {
	now := time.Now()
	s.polls = append(s.polls, now)
	d := s.devices[r.PostForm.Get("device_code")]
	if d == nil || d.client != c.id || d.used {
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "unknown device code")
		return
	}
	if !s.sameResource(w, r, d.resource) {
		return
	}
	d.polls++
	early := !d.last.IsZero() && now.Sub(d.last) < d.interval
	d.last = now
	due := d.polls == s.Device.AutoApprove || s.Device.ApproveIn > 0 && now.Sub(d.begun) > s.Device.ApproveIn
	if due && d.decision == "" {
		d.decision = approved
	}
	switch {
	case !now.Before(d.expiry):
		refuse(w, http.StatusBadRequest, oauth.CodeExpiredToken, "")
	case early, d.polls <= s.Device.SlowDowns:
		d.interval += slowDownStep
		refuse(w, http.StatusBadRequest, oauth.CodeSlowDown, "")
	case d.decision == "":
		refuse(w, http.StatusBadRequest, oauth.CodeAuthorizationPending, "")
	case d.decision != approved:
		refuse(w, http.StatusBadRequest, d.decision, "the person said no")
	default:
		d.used = true
		s.issue(w, r, oauth.GrantDeviceCode, d.authRequest, nil)
	}
}

// ApproveDevice approves a user code. It returns false if the code is not
// pending.
func (s *Server) ApproveDevice(userCode string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide(userCode, approved)
}

// DenyDevice denies a user code. It returns false if the code is not pending.
func (s *Server) DenyDevice(userCode string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide(userCode, oauth.CodeAccessDenied)
}

// Waiting returns the pending device authorization with a user code, which may have
// any case and punctuation (RFC 8628 §6.1).
func (s *Server) Waiting(typed string) (Request, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if letters(d.userCode) == letters(typed) && d.decision == "" && time.Now().Before(d.expiry) {
			return s.request(d.authRequest, d.userCode), true
		}
	}
	return Request{}, false
}

// letters normalizes a user code as users type it.
func letters(typed string) string {
	return strings.Map(func(r rune) rune {
		if !ascii.Letter(r) {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
}

func (s *Server) decide(userCode, decision string) bool {
	for _, d := range s.devices {
		if d.userCode == userCode && d.decision == "" && time.Now().Before(d.expiry) {
			d.decision = decision
			return true
		}
	}
	return false
}

// servePage serves the verification page: GET shows a form, POST with user_code
// approves, or denies with deny=1.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.Method != http.MethodPost {
		fmt.Fprintf(w, `<form method="post"><input name="user_code" value="%s">`+
			`<button>Approve</button><button name="deny" value="1">Deny</button></form>`,
			html.EscapeString(r.Form.Get("user_code")))
		return
	}
	decision := approved
	if r.Form.Get("deny") != "" {
		decision = oauth.CodeAccessDenied
	}
	if !s.decide(r.Form.Get("user_code"), decision) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "no such code")
		return
	}
	fmt.Fprint(w, "done: you can close this page")
}
