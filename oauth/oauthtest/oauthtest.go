// Package oauthtest is a fake authorization server with a protected MCP server
// at /mcp, for tests. It is an http.Handler for an httptest.Server, and an
// in-memory http.RoundTripper for use in a testing/synctest bubble:
//
//	var srv oauthtest.Server
//	c := srv.Client() // every host is srv: https://mcp.test/mcp
//
// It enforces rules that clients often violate: exact redirect URIs and resources,
// PKCE, single use of codes, rotation of refresh tokens with reuse detection that
// revokes the whole family, polling no faster than allowed. [Server.Fault] injects
// faults into any endpoint, and [Server.With] makes it behave like real servers
// that users reported: see [Quirks].
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

// Server is the fake server. Its zero value works. Set the fields before use
// and do not change them later; the methods may be called at any time.
type Server struct {
	// URL is the issuer, without a path; "": the host of each request. The MCP
	// server is at /mcp of any host.
	URL     string
	Device  Device
	Tokens  Tokens
	Clients Clients
	Consent Consent
	Proofs  Proofs
	Trust   Trust
	// SSE makes the MCP server use only the HTTP+SSE transport of 2024-11-05.
	SSE bool
	// Edit changes every metadata document before it is sent; nil: no changes.
	Edit func(e Endpoint, doc map[string]any)

	quirks []change // see Quirk

	mu sync.Mutex
	state
}

// Device configures the device flow (RFC 8628).
type Device struct {
	Off         bool          // no device endpoint
	Interval    time.Duration // 0: 5 s; whole seconds
	NoInterval  bool          // the response omits interval
	NoComplete  bool          // the response omits verification_uri_complete
	ExpiresIn   time.Duration // 0: 15 min; whole seconds
	SlowDowns   int           // number of polls of each code that get slow_down, even if slow enough
	AutoApprove int           // number of the poll at which each code is approved; 0: only by ApproveDevice or on the page
	ApproveIn   time.Duration // time after which each code is approved; 0: see AutoApprove
	RandomCodes bool          // user codes are random; else sequential
}

// Tokens configures the issued tokens.
type Tokens struct {
	TTL         time.Duration // of access tokens; 0: 1 h; negative: expires_in is omitted
	NoRefresh   bool          // no refresh tokens
	NoRotation  bool          // a refresh response omits the refresh token, which stays valid
	AnyResource bool          // a missing resource is accepted
	Scopes      []string      // supported; nil: mcp:read, mcp:write
	JWT         bool          // access tokens are JWTs with an exp claim
	Prefix      string        // prefix of every access and refresh token
	Suffix      string        // suffix of every access and refresh token, to test unusual characters
	Required    string        // scopes that /mcp requires, separated by spaces; "": none
}

// Clients configures registration and client authentication.
type Clients struct {
	NumericIDs         bool                        // client IDs are JSON numbers
	SecretAnyway       bool                        // a client that requests no secret gets one, and must send it in the body
	AnyMethod          bool                        // clients need not authenticate by the method that they registered
	AnyType            bool                        // any application type is accepted
	Forgotten          bool                        // a client is deleted after it got its first token
	Known              map[string]string           // pre-registered: secret by client ID, "" for a public client
	NoRegistration     bool                        // no registration endpoint
	InitialAccessToken string                      // required to register; "": none
	Keys               map[string]crypto.PublicKey // pre-registered for private_key_jwt, by client ID
	AuthMethods        []string                    // supported; nil: none, client_secret_basic, client_secret_post
	Redirects          string                      // "not empty": rejects [], as Better Auth; "some": requires one from every client; "": optional
	NoWeb              bool                        // https redirect URIs are rejected, as by servers that support only native clients
	RefuseScope        bool                        // registrations with a scope are rejected, as resource scopes by oidc-provider
	ScopesRegistered   bool                        // clients may request only registered scopes, by default the first one, as at Ory Hydra
}

// Consent configures the authorization endpoint. Without Ask it approves and
// redirects immediately.
type Consent struct {
	// Ask shows the consent page for a Request; Answer completes it. Ask must
	// not call the server's methods.
	Ask   func(w http.ResponseWriter, r *http.Request, a Request)
	Deny  bool   // redirect with access_denied
	NoIss bool   // neither advertise nor send iss (RFC 9207)
	Iss   string // sent as iss instead of the issuer; "": the issuer
}

// Proofs configures DPoP (RFC 9449). A proof in a request is always checked.
type Proofs struct {
	Required bool // tokens are issued only with a proof, and the metadata says so
	Nonce    bool // a proof must have a nonce of the server
}

// Trust configures grants with third-party tokens.
type Trust struct {
	// Assertion validates the assertion of a JWT bearer grant (RFC 7523 §2.1);
	// nil: the grant is not supported.
	Assertion func(jwt string) error
	// Exchange returns the token to issue for a token exchange (RFC 8693), or
	// an error; nil: the grant is not supported.
	Exchange func(form url.Values) (string, error)
}

// Endpoint names an endpoint of the server, for faults and counts.
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
	Page       Endpoint = "device"               // where the user enters the user code
	Token      Endpoint = "token"
	Revoke     Endpoint = "revoke" // RFC 7009
)

// state is the mutable state of the server.
type state struct {
	clients  map[string]*client
	codes    map[string]*code       // authorization codes
	pending  map[string]*pending    // waiting for Answer, by Request.ID
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

// put sets m[key] = v, allocating the map if needed.
func put[K comparable, V any](m *map[K]V, key K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[key] = v
}

// Client returns a client that sends requests for any host to this server, in
// memory.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s} }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, handle := s.route(r)
	if handle == nil {
		http.NotFound(w, r)
		return
	}
	// Read the whole body first: otherwise net/http does not detect during a
	// Hang that the client has disconnected.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_ = r.ParseForm() // an invalid form has no parameters
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

// arrive counts a request and returns the fault to apply to it.
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

// Count returns the number of requests to an endpoint.
func (s *Server) Count(e Endpoint) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[e]
}

// Grants returns the number of tokens issued by a grant type, such as
// "refresh_token".
func (s *Server) Grants(grantType string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grants[grantType]
}

// Polls returns the times of all device code polls.
func (s *Server) Polls() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.polls)
}

// Issued returns every secret that the server has issued: tokens, codes, client
// secrets. Tests check that none of them appears in a log.
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

// baseURL returns the origin that a request was sent to.
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
