package demoserver

import (
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// RFC 8628 §6.1: letters that cannot form words and are hard to mistake.
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8

	// slowDown is added to the interval of a client that polls too soon
	// (RFC 8628 §3.5).
	slowDown = 5 * time.Second

	// maxMisses bounds the wrong user codes in a minute (RFC 8628 §5.1).
	maxMisses = 20
)

// device is one run of the device flow.
type device struct {
	client   *client
	userCode string // without the hyphen
	scope    string
	expiry   time.Time
	auto     time.Time // approve from then on; zero: never
	interval time.Duration
	polled   time.Time
	form     string // secret of the consent form; "": not shown yet
	state    decision
}

type decision int

const (
	undecided decision = iota
	approved
	denied
)

// serveDeviceAuthorization answers RFC 8628 §3.1.
func (s *Server) serveDeviceAuthorization(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, fault := s.newDevice(r)
	if fault != nil {
		writeError(w, fault)
		return
	}
	now := time.Now()
	maps.DeleteFunc(s.devices, func(_ string, d *device) bool { return now.After(d.expiry.Add(s.cfg.CodeTTL)) })
	code := rand.Text()
	s.devices[code] = d

	shown, page := d.shown(), s.cfg.URL+"/device"
	writeJSON(w, http.StatusOK, map[string]any{
		"device_code":               code,
		"user_code":                 shown,
		"verification_uri":          page,
		"verification_uri_complete": page + "?user_code=" + url.QueryEscape(shown),
		"expires_in":                int(s.cfg.CodeTTL.Seconds()),
		"interval":                  int(max(s.cfg.Interval, time.Second).Seconds()),
	})
}

func (s *Server) newDevice(r *http.Request) (*device, *oauthError) {
	c, fault := s.authenticate(r)
	if fault != nil {
		return nil, fault
	}
	if !slices.Contains(c.GrantTypes, grantDevice) {
		return nil, &oauthError{Code: "unauthorized_client", Description: "the client did not register the device grant"}
	}
	if fault := s.checkResource(r.PostForm["resource"]); fault != nil {
		return nil, fault
	}
	scope, fault := checkScope(r.PostFormValue("scope"))
	if fault != nil {
		return nil, fault
	}
	d := &device{
		client:   c,
		userCode: newUserCode(),
		scope:    scope,
		expiry:   time.Now().Add(s.cfg.CodeTTL),
		interval: s.cfg.Interval,
	}
	if s.cfg.AutoApprove > 0 {
		d.auto = time.Now().Add(s.cfg.AutoApprove)
	}
	return d, nil
}

// redeemDevice is one poll (RFC 8628 §3.4, §3.5).
func (s *Server) redeemDevice(c *client, r *http.Request) (*grant, *oauthError) {
	code := r.PostFormValue("device_code")
	d := s.devices[code]
	now := time.Now()
	switch {
	case d == nil || d.client != c:
		return nil, &oauthError{Code: "invalid_grant", Description: "the device code is unknown or was used"}
	case now.After(d.expiry):
		return nil, &oauthError{Code: "expired_token", Description: "the code has expired"}
	case now.Sub(d.polled) < d.interval:
		d.polled = now
		d.interval += slowDown
		return nil, &oauthError{Code: "slow_down"}
	}
	d.polled = now
	if d.state == undecided && !d.auto.IsZero() && now.After(d.auto) {
		d.state = approved
	}
	switch d.state {
	case undecided:
		return nil, &oauthError{Code: "authorization_pending"}
	case denied:
		delete(s.devices, code)
		return nil, &oauthError{Code: "access_denied", Description: "the person at the device page said no"}
	}
	delete(s.devices, code)
	return &grant{client: c, scope: d.scope}, nil
}

// findDevice returns the device that waits for a typed user code, or nil. The
// caller holds the lock.
func (s *Server) findDevice(typed string) *device {
	code := letters(typed)
	now := time.Now()
	if now.Sub(s.since) > time.Minute {
		s.since, s.misses = now, 0
	}
	if s.misses >= maxMisses {
		return nil
	}
	for _, d := range s.devices {
		if equal(d.userCode, code) && d.state == undecided && now.Before(d.expiry) {
			return d
		}
	}
	s.misses++
	return nil
}

// newUserCode draws evenly: bytes beyond the largest multiple of the
// alphabet's length are drawn again.
func newUserCode() string {
	const even = 256 - 256%len(userCodeLetters)
	code := make([]byte, 0, userCodeLength)
	for len(code) < userCodeLength {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails: it ends the program instead
		if int(b[0]) < even {
			code = append(code, userCodeLetters[int(b[0])%len(userCodeLetters)])
		}
	}
	return string(code)
}

// shown is the user code as people read it.
func (d *device) shown() string {
	return d.userCode[:userCodeLength/2] + "-" + d.userCode[userCodeLength/2:]
}

// letters reads a user code as typed: in any case, with any punctuation
// (RFC 8628 §6.1).
func letters(typed string) string {
	return strings.Map(func(r rune) rune {
		if r < 'A' || r > 'Z' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
}
