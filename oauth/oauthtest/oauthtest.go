// Package oauthtest is a fake authorization server with a protected MCP server
// at /mcp, for tests. It is an http.Handler, to stand behind an
// httptest.Server, and an http.RoundTripper, to stand in memory inside a
// testing/synctest bubble:
//
//	srv := &oauthtest.Server{}
//	c := srv.Client() // any https host reaches srv: https://mcp.test/mcp
package oauthtest

import (
	"net/http"
	"sync"
	"time"
)

// Server is the fake. Its zero value works: set the fields before use and do
// not change them afterwards.
type Server struct {
	// URL is the issuer and the base of every endpoint; "": taken from each
	// request's Host.
	URL     string
	Device  Device
	Tokens  Tokens
	Clients Clients
	// Edit changes every metadata document before it is sent; nil: not.
	Edit func(e Endpoint, doc map[string]any)

	mu sync.Mutex
}

// Device sets up the device flow (RFC 8628).
type Device struct {
	Off         bool          // no device endpoint
	Interval    time.Duration // 0: 5 s, in whole seconds
	NoInterval  bool          // the answer leaves interval out
	NoComplete  bool          // the answer leaves verification_uri_complete out
	ExpiresIn   time.Duration // 0: 15 min
	SlowDowns   int           // that many polls are answered slow_down, however slow they are
	AutoApprove int           // approved at that poll; 0: only by ApproveDevice
}

// Tokens sets up what is issued.
type Tokens struct {
	TTL       time.Duration // of access tokens; 0: 1 h
	NoRefresh bool          // no refresh tokens
	NoRotate  bool          // refresh answers without a new refresh token
	Scopes    []string      // offered; nil: mcp:read, mcp:write
	Required  string        // scope that /mcp asks for; "": none
}

// Clients sets up who may come.
type Clients struct {
	Known              map[string]string // id to secret, "" for a public client; registered by hand
	NoRegistration     bool              // no registration endpoint
	InitialAccessToken string            // required to register; "": none
	AuthMethods        []string          // offered; nil: none, client_secret_basic, client_secret_post
}

// Endpoint names a part of the server, for faults and counts.
type Endpoint string

// The endpoints.
const (
	MCP        Endpoint = "mcp"
	Protected  Endpoint = "protected-resource" // RFC 9728
	Metadata   Endpoint = "metadata"           // RFC 8414 and OpenID Connect Discovery
	Register   Endpoint = "register"
	Manage     Endpoint = "manage" // RFC 7592
	Authorize  Endpoint = "authorize"
	DeviceAuth Endpoint = "device"
	Token      Endpoint = "token"
	Revoke     Endpoint = "revoke"
)

// Fault is a disturbance of one or more requests.
type Fault struct {
	Times  int           // so many requests; 0: one; -1: every one
	Delay  time.Duration // before anything else
	Hang   bool          // no answer until the request's context ends
	Drop   bool          // the connection breaks instead of an answer
	After  bool          // the request takes effect first: the answer is lost or replaced
	Status int           // answered with Header and Body; 0: by the server
	Header http.Header
	Body   string
}

// Fault adds a disturbance of an endpoint. Several are used up in order.
func (s *Server) Fault(e Endpoint, f Fault) {}

// Client returns a client that reaches the server in memory, whatever the
// host.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s} }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// RoundTrip implements http.RoundTripper.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, http.ErrHandlerTimeout
}

// ApproveDevice approves a user code. It reports whether the code was waiting.
func (s *Server) ApproveDevice(userCode string) bool { return false }

// DenyDevice denies a user code. It reports whether the code was waiting.
func (s *Server) DenyDevice(userCode string) bool { return false }

// Issued returns every secret that the server has given out: tokens, codes,
// client secrets. None of them may appear in a log.
func (s *Server) Issued() []string { return nil }

// Count returns how many requests an endpoint has seen.
func (s *Server) Count(e Endpoint) int { return 0 }

// Grants returns how many tokens were issued by a grant type.
func (s *Server) Grants(grantType string) int { return 0 }

// Polls returns when each poll of a device code arrived.
func (s *Server) Polls() []time.Time { return nil }

// RevokeAll makes every token issued so far invalid.
func (s *Server) RevokeAll() {}
