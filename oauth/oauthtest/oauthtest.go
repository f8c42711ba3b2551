// Package oauthtest is a fake authorization server with a protected MCP server
// at /mcp, for tests. It is an http.Handler, to stand behind an
// httptest.Server, and an http.RoundTripper, to stand in memory inside a
// testing/synctest bubble:
//
//	var srv oauthtest.Server
//	c := srv.Client() // every host is srv: https://mcp.test/mcp
//
// It keeps to the rules that clients get wrong: exact redirect URIs and
// resources, PKCE, single use of codes, rotation of refresh tokens with reuse
// detection that revokes the whole family, polling no faster than allowed.
// [Server.Fault] disturbs any endpoint on demand, and [Server.With] makes it behave
// as servers do that users reported: see [Quirks].
package oauthtest

import (
	"bytes"
	"crypto"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is the fake. Its zero value works. Set the fields before use and do
// not change them afterwards; the methods may be called at any time.
type Server struct {
	// URL is the issuer, without a path; "": the host that each request asks for.
	// The MCP server is at /mcp of whatever host a request names.
	URL     string
	Device  Device
	Tokens  Tokens
	Clients Clients
	Consent Consent
	Proofs  Proofs
	Trust   Trust
	// SSE has the MCP server speak the HTTP+SSE transport of 2024-11-05 alone.
	SSE bool
	// Edit changes every metadata document before it is sent; nil: not.
	Edit func(e Endpoint, doc map[string]any)

	quirks []change // see Quirk

	mu sync.Mutex
	state
}

// Device sets up the device flow (RFC 8628).
type Device struct {
	Off         bool          // no device endpoint
	Interval    time.Duration // 0: 5 s; whole seconds
	NoInterval  bool          // the answer leaves interval out
	NoComplete  bool          // the answer leaves verification_uri_complete out
	ExpiresIn   time.Duration // 0: 15 min; whole seconds
	SlowDowns   int           // that many polls of each code are answered slow_down, however slow they are
	AutoApprove int           // approved at that poll of each code; 0: only by ApproveDevice or at the page
	ApproveIn   time.Duration // approved at the first poll after that time; 0: as AutoApprove says
	RandomCodes bool          // user codes cannot be guessed; else each is the next of a series
}

// Tokens sets up what is issued.
type Tokens struct {
	TTL         time.Duration // of access tokens; 0: 1 h; negative: expires_in is left out
	NoRefresh   bool          // no refresh tokens
	NoRotation  bool          // a refresh keeps the refresh token and does not repeat it
	AnyResource bool          // a missing resource is accepted
	Scopes      []string      // offered; nil: mcp:read, mcp:write
	JWT         bool          // access tokens are JWTs with an exp claim
	Prefix      string        // at the beginning of every access and refresh token
	Suffix      string        // at the end of every access and refresh token, for the characters that servers use
	Required    string        // scopes that /mcp wants, separated by spaces; "": none
}

// Clients sets up who may come.
type Clients struct {
	NumericIDs         bool                        // ids are JSON numbers
	SecretAnyway       bool                        // a client that asks for no secret gets one, and must send it in the body
	AnyMethod          bool                        // clients need not authenticate by the method that they registered
	AnyType            bool                        // the application type need not be native
	Forgotten          bool                        // a client is forgotten once it has its first token
	Known              map[string]string           // registered by hand: id to secret, "" for a public client
	NoRegistration     bool                        // no registration endpoint
	InitialAccessToken string                      // required to register; "": none
	Keys               map[string]crypto.PublicKey // registered by hand for private_key_jwt
	AuthMethods        []string                    // offered; nil: none, client_secret_basic, client_secret_post
	Redirects          string                      // "not empty": refuses [], as Better Auth; "some": wants one of every client; "": both may be
	NoWeb              bool                        // https redirect URIs are refused, as by servers for native clients alone
	RefuseScope        bool                        // no scope may be registered, as resource scopes at oidc-provider
	ScopesRegistered   bool                        // clients may ask only for what they registered, by default for the first scope, as at Ory Hydra
}

// Consent sets up the authorization endpoint. Without Ask it asks nobody and
// redirects at once.
type Consent struct {
	// Ask shows a person what is asked for. Answer decides. It must not call the
	// server's methods.
	Ask   func(w http.ResponseWriter, r *http.Request, a Request)
	Deny  bool   // redirects with access_denied
	NoIss bool   // neither advertises nor sends iss (RFC 9207)
	Iss   string // sent as iss instead of the issuer; "": the issuer
}

// Proofs sets up DPoP (RFC 9449). A proof that is sent is always checked.
type Proofs struct {
	Required bool // tokens are given only for a proof, and the metadata says so
	Nonce    bool // a proof must hold a nonce of the server
}

// Trust sets up what tokens of others are good for.
type Trust struct {
	// Assertion judges the assertion of a jwt-bearer grant (RFC 7523 §2.1); nil:
	// the grant is not offered.
	Assertion func(jwt string) error
	// Exchange returns the token to give for a token exchange (RFC 8693), or an
	// error; nil: the grant is not offered.
	Exchange func(form url.Values) (string, error)
}

// Endpoint names a part of the server, for faults and counts.
type Endpoint string

// The endpoints.
const (
	MCP        Endpoint = "mcp"
	Protected  Endpoint = "protected-resource" // RFC 9728
	Metadata   Endpoint = "metadata"           // RFC 8414 and OpenID Connect Discovery
	Register   Endpoint = "register"           // RFC 7591
	Manage     Endpoint = "manage"             // RFC 7592
	Authorize  Endpoint = "authorize"
	DeviceAuth Endpoint = "device_authorization" // RFC 8628
	Page       Endpoint = "device"               // where a person types the user code
	Token      Endpoint = "token"
	Revoke     Endpoint = "revoke" // RFC 7009
)

// state is everything that the server remembers.
type state struct {
	clients  map[string]*client
	codes    map[string]*code       // of the authorization endpoint
	pending  map[string]*pending    // that wait for Answer, by the id of their Request
	devices  map[string]*deviceCode // by device code
	access   map[string]*grant
	refresh  map[string]*refreshToken
	faults   map[Endpoint][]Fault
	counts   map[Endpoint]int
	grants   map[string]int
	polls    []time.Time
	issued   []string
	nextUser int
	jtis     map[string]bool // of proofs and assertions
	streams  []chan map[string]any
}

// put stores v under key in a map that may be nil.
func put[K comparable, V any](m *map[K]V, key K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[key] = v
}

// Client returns a client that reaches the server in memory, whatever the
// host.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s} }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, handle := s.route(r)
	if handle == nil {
		http.NotFound(w, r)
		return
	}
	// The whole body is read first: only then does net/http notice, during a
	// Hang, that the client has gone.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_ = r.ParseForm() // a broken form lacks its parameters
	f := s.arrive(e)
	f.serve(w, r, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed(e, handle)(w, r)
	})
}

func (s *Server) route(r *http.Request) (Endpoint, http.HandlerFunc) {
	switch path := r.URL.Path; {
	case path == "/mcp":
		return MCP, s.serveMCP
	case path == wellKnownResource+"/mcp":
		return Protected, s.serveProtected
	case s.isMetadata(path):
		return Metadata, s.serveMetadata
	case path == "/register" && !s.Clients.NoRegistration:
		return Register, s.serveRegister
	case strings.HasPrefix(path, "/register/"):
		return Manage, s.serveManage
	case path == "/authorize":
		return Authorize, s.serveAuthorize
	case path == "/device_authorization" && !s.Device.Off:
		return DeviceAuth, s.serveDeviceAuth
	case path == "/device":
		return Page, s.servePage
	case path == "/token":
		return Token, s.serveToken
	case path == "/revoke":
		return Revoke, s.serveRevoke
	}
	return "", nil
}

// arrive counts a request and returns the fault that awaits it.
func (s *Server) arrive(e Endpoint) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	put(&s.counts, e, s.counts[e]+1)
	queue := s.faults[e]
	if len(queue) == 0 {
		return Fault{}
	}
	f := queue[0]
	switch queue[0].Times--; {
	case f.Times == 0 || f.Times == 1:
		s.faults[e] = queue[1:]
	case f.Times < 0:
		queue[0].Times = -1
	}
	return f
}

// Count returns how many requests an endpoint has seen.
func (s *Server) Count(e Endpoint) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[e]
}

// Grants returns how many tokens were issued by a grant type, such as
// "refresh_token".
func (s *Server) Grants(grantType string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grants[grantType]
}

// Polls returns when each poll with a device code arrived.
func (s *Server) Polls() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.polls)
}

// Issued returns every secret that the server has given out: tokens, codes,
// client secrets. None of them may appear in a log.
func (s *Server) Issued() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}

// SetTTL sets the lifetime of the access tokens that are issued from now on.
func (s *Server) SetTTL(ttl time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Tokens.TTL = ttl
}

// RevokeAll makes every token issued so far invalid.
func (s *Server) RevokeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access, s.refresh = nil, nil
}

// RevokeAccess makes every access token issued so far invalid; the refresh
// tokens stay.
func (s *Server) RevokeAccess() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access = nil
}

// baseURL is the origin that a request was sent to.
func baseURL(r *http.Request) string {
	switch {
	case r.URL.Scheme != "":
		return r.URL.Scheme + "://" + r.Host
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Server) issuer(r *http.Request) string {
	if s.URL != "" {
		return s.URL
	}
	return baseURL(r)
}
