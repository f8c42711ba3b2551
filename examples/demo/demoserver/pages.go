package demoserver

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"time"
)

//go:embed page.html
var pageSource string

//go:embed style.css
var style []byte

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// page is what page.html shows. At most one of Ask, Consent and Message is set.
type page struct {
	Title   string
	Ask     *ask
	Consent *consent
	Message string
	Code    string // the user code that a message is about
	MCP     string // the home page's: where clients go
}

// ask is the form that takes a user code.
type ask struct {
	Typed string
	Fault string
}

// consent is the form that takes a decision.
type consent struct {
	Action, Secret     string // where the form goes, and its proof of origin
	Code               string // the user code to compare; "": no device
	Client, URI, Scope string
	Resource           string
	RedirectHost       string // where the answer goes; "": no redirect
}

// servePage writes p. leave is the origin that a form's answer may redirect
// to; "" for none: Chrome applies form-action to redirects too.
func servePage(w http.ResponseWriter, status int, p page, leave string) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, p); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self' "+leave+
		"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the reader has gone: nobody is left to tell
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(style)
}

func (s *Server) serveHome(w http.ResponseWriter, _ *http.Request) {
	servePage(w, http.StatusOK, page{Title: "A demo MCP server", MCP: s.MCP()}, "")
}

// serveDevicePage shows where the user code is typed, or, with a code in the
// URL, the question itself with the code to compare (RFC 8628 §3.3.1).
func (s *Server) serveDevicePage(w http.ResponseWriter, r *http.Request) {
	typed := r.FormValue("user_code")
	if typed == "" {
		servePage(w, http.StatusOK, page{Title: "Connect a device", Ask: &ask{}}, "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.showDevice(w, typed)
}

// serveDeviceForm takes a typed code, then the decision about it.
func (s *Server) serveDeviceForm(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, typed := r.PostFormValue("form"), r.PostFormValue("user_code")
	if secret == "" {
		s.showDevice(w, typed)
		return
	}
	d := s.findDevice(typed)
	if d == nil || d.form == "" || !equal(d.form, secret) {
		servePage(w, http.StatusConflict, page{Title: "This request is over",
			Message: "It was answered before, or its time ran out. Start again on your device."}, "")
		return
	}
	if r.PostFormValue("decision") == "approve" {
		d.state = approved
		servePage(w, http.StatusOK, page{Title: "Approved", Code: d.shown(),
			Message: "Your device goes on by itself within seconds. You can close this page."}, "")
		return
	}
	d.state = denied
	servePage(w, http.StatusOK, page{Title: "Denied", Code: d.shown(),
		Message: "Nothing was given to the device. You can close this page."}, "")
}

// showDevice asks for the decision on a user code. The caller holds the lock.
func (s *Server) showDevice(w http.ResponseWriter, typed string) {
	d := s.findDevice(typed)
	if d == nil {
		servePage(w, http.StatusNotFound, page{Title: "Connect a device", Ask: &ask{Typed: typed,
			Fault: "No device waits with this code. Compare it with your device, or get a new one there."}}, "")
		return
	}
	if d.form == "" {
		d.form = rand.Text()
	}
	servePage(w, http.StatusOK, page{Title: "Is this your device?", Consent: &consent{
		Action: "/device", Secret: d.form, Code: d.shown(),
		Client: d.client.display(), URI: d.client.URI, Scope: d.scope, Resource: s.MCP(),
	}}, "")
}

// serveAuthorize answers RFC 6749 §4.1.1 with RFC 7636 §4.3. Nothing is sent
// to a redirect URI before it was found to belong to the client.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	over := func(_ string, a *authorization) bool { return now.After(a.expiry) }
	maps.DeleteFunc(s.pending, over)
	maps.DeleteFunc(s.codes, over)
	q := r.URL.Query()
	a := &authorization{
		client:    s.clients[q.Get("client_id")],
		redirect:  q.Get("redirect_uri"),
		state:     q.Get("state"),
		challenge: q.Get("code_challenge"),
		expiry:    now.Add(s.cfg.CodeTTL),
	}
	if a.client == nil || !a.client.allowsRedirect(a.redirect) {
		servePage(w, http.StatusBadRequest, page{Title: "This link does not work",
			Message: "The program that made it is not known here, or wants the answer at an address that it did not register."}, "")
		return
	}
	if fault := s.checkAuthorize(a, q); fault != nil {
		s.redirect(w, r, a, url.Values{"error": {fault.Code}, "error_description": {fault.Description}})
		return
	}
	if s.cfg.AutoApprove > 0 {
		s.approve(w, r, a)
		return
	}
	secret := rand.Text()
	s.pending[secret] = a
	u, _ := url.Parse(a.redirect) // parsed when it was registered
	servePage(w, http.StatusOK, page{Title: "Allow access?", Consent: &consent{
		Action: "/authorize", Secret: secret, RedirectHost: u.Host,
		Client: a.client.display(), URI: a.client.URI, Scope: a.scope, Resource: s.MCP(),
	}}, u.Scheme+"://"+u.Host)
}

func (s *Server) checkAuthorize(a *authorization, q url.Values) *oauthError {
	if q.Get("response_type") != "code" {
		return &oauthError{Code: "unsupported_response_type", Description: "response_type must be code"}
	}
	if a.challenge == "" || q.Get("code_challenge_method") != "S256" {
		return &oauthError{Code: "invalid_request", Description: "PKCE with S256 is required"}
	}
	if fault := s.checkResource(q["resource"]); fault != nil {
		return fault
	}
	var fault *oauthError
	a.scope, fault = checkScope(q.Get("scope"))
	return fault
}

// serveConsent takes the decision of the authorization page.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret := r.PostFormValue("form")
	a := s.pending[secret]
	delete(s.pending, secret)
	switch {
	case a == nil || time.Now().After(a.expiry):
		servePage(w, http.StatusConflict, page{Title: "This request is over",
			Message: "It was answered before, or its time ran out. Start again in your program."}, "")
	case r.PostFormValue("decision") == "approve":
		s.approve(w, r, a)
	default:
		s.redirect(w, r, a, url.Values{"error": {"access_denied"}})
	}
}

func (s *Server) approve(w http.ResponseWriter, r *http.Request, a *authorization) {
	code := rand.Text()
	s.codes[code] = a
	s.redirect(w, r, a, url.Values{"code": {code}})
}

// redirect answers a client through the browser, with state and with the
// issuer (RFC 9207 §2) so that answers of two servers cannot be mixed up.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, a *authorization, answer url.Values) {
	u, _ := url.Parse(a.redirect) // parsed when it was registered
	q := u.Query()
	for name, values := range answer {
		q[name] = values
	}
	if a.state != "" {
		q.Set("state", a.state)
	}
	q.Set("iss", s.cfg.URL)
	u.RawQuery = q.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
}
