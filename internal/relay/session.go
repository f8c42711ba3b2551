package relay

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"time"
)

// ErrEnded means that no session has this key: it expired, or never was.
var ErrEnded = errors.New("the session has ended")

// errTaken means that a new session has the key of another.
var errTaken = errors.New("the key is taken")

// ErrFull means that the store has reached its limit.
var ErrFull = errors.New("too many sessions")

// Sessions stores sessions until they expire. A session is found by its ID, the
// hash of its user code and the hash of its state.
type Sessions interface {
	// Add stores a new session. It returns ErrFull, or another error if one of
	// its keys is taken.
	Add(ctx context.Context, s Session) error
	// Find returns a session by one of its keys, or ErrEnded.
	Find(ctx context.Context, key Key) (Session, error)
	// Change changes a session atomically. If change returns an error, Change
	// returns it and changes nothing. change may be called more than once.
	Change(ctx context.Context, id string, change func(*Session) error) (Session, error)
	// Watch returns a channel that receives after a session was changed by any
	// replica. It may miss a change.
	Watch(id string) (changed <-chan struct{}, stop func())
	// Ping returns an error if sessions cannot be stored now.
	Ping(ctx context.Context) error
}

// Key finds a session. Exactly one field is set.
type Key struct {
	ID        string
	UserCode  string // normalized: eight letters
	StateHash string
}

// String returns the key as text, for stores.
func (k Key) String() string {
	switch {
	case k.ID != "":
		return "id:" + k.ID
	case k.UserCode != "":
		return "code:" + k.UserCode
	}
	return "state:" + k.StateHash
}

// Session is one sign-in through the relay.
type Session struct {
	ID         string `json:"id"`
	SecretHash string `json:"secret_hash"` // of the client's secret
	UserCode   string `json:"user_code"`
	StateHash  string `json:"state_hash"`

	AuthorizationURL string `json:"authorization_url,omitempty"` // "" once the session ended
	Server           string `json:"server"`                      // claims of the client
	Issuer           string `json:"issuer"`
	Label            string `json:"label"`

	Browser string    `json:"browser,omitempty"` // hash of the cookie of the browser that signs in
	Tries   int       `json:"tries,omitempty"`   // wrong codes entered to take over
	Query   string    `json:"query,omitempty"`   // the authorization response, until the client ends the session
	Failure string    `json:"failure,omitempty"` // the response's error code, if it is a known one
	Outcome Outcome   `json:"outcome,omitempty"` // "" until the client ends the session
	Opened  time.Time `json:"opened"`
	Expiry  time.Time `json:"expiry"`
}

// Outcome is how a session ended, as reported by the client.
type Outcome string

// The outcomes.
const (
	OutcomeOK     Outcome = "ok"
	OutcomeDenied Outcome = "denied"
	OutcomeFailed Outcome = "failed"
)

func (s *Session) keys() []Key {
	return []Key{{ID: s.ID}, {UserCode: s.UserCode}, {StateHash: s.StateHash}}
}

// maxTries is the number of wrong codes that one session allows.
const maxTries = 3

// Errors of a browser's action on a session.
var (
	errOtherBrowser = errors.New("another browser is signing in")
	errAnswered     = errors.New("the session already has its answer")
	errWrongCode    = errors.New("the code is wrong")
	errNoTries      = errors.New("too many wrong codes")
)

// start binds the session to a browser. Another browser may take over with the
// code of the terminal, until the response has arrived.
func (s *Session) start(cookie, next, typed string) error {
	switch {
	case s.Outcome != "" || s.Query != "":
		return errAnswered
	case s.Browser == "" || s.isBrowser(cookie):
		s.Browser = hash(next)
		return nil
	case typed == "":
		return errOtherBrowser
	}
	return s.takeOver(next, typed)
}

// takeOver binds the session to a browser whose user typed the code. A wrong
// code counts: its error must be kept with the session, see [Relay.try].
func (s *Session) takeOver(next, typed string) error {
	if s.Tries >= maxTries {
		return errNoTries
	}
	if !equal(normalize(typed), s.UserCode) {
		s.Tries++
		return errWrongCode
	}
	s.Browser = hash(next)
	return nil
}

// answer stores the authorization response. A second one changes nothing.
func (s *Session) answer(query, failure string) error {
	if s.Outcome != "" || s.Query != "" {
		return errAnswered
	}
	s.Query, s.Failure = query, failure
	return nil
}

// end deletes everything except what the pages still show.
func (s *Session) end(o Outcome) {
	if s.Outcome == "" {
		s.Outcome = o
	}
	s.AuthorizationURL, s.Query = "", ""
}

func (s *Session) isBrowser(cookie string) bool {
	return s.Browser != "" && cookie != "" && equal(hash(cookie), s.Browser)
}

func (s *Session) isClient(secret string) bool { return equal(hash(secret), s.SecretHash) }

// hash returns the SHA-256 of a random secret, in hex.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// codeLetters are those of RFC 8628 §6.1: no vowels, so no words.
const codeLetters = "BCDFGHJKLMNPQRSTVWXZ"

const codeLength = 8

// newUserCode returns a random code, about 34 bits.
func newUserCode() string {
	var b strings.Builder
	for range codeLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeLetters))))
		if err != nil {
			panic(err) // crypto/rand never fails
		}
		b.WriteByte(codeLetters[n.Int64()])
	}
	return b.String()
}

// shownCode returns a code in display form: KKBW-XFNL.
func shownCode(code string) string { return code[:codeLength/2] + "-" + code[codeLength/2:] }

// normalize returns the letters of a typed code, or "" if it cannot be one.
func normalize(typed string) string {
	letters := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
	if len(letters) != codeLength || strings.Trim(letters, codeLetters) != "" {
		return ""
	}
	return letters
}

// newSecret returns 256 random bits.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
