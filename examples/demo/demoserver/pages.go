package demoserver

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

//go:embed page.html
var pageSource string

//go:embed style.css
var style []byte

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// page is the data of page.html. At most one of Ask, Consent and Message is
// set.
type page struct {
	Title   string
	Ask     *ask
	Consent *consent
	Message string
	Code    string // the user code that a message is about
	MCP     string // for the home page: the URL of the MCP server
}

// ask is the form for a user code.
type ask struct {
	Typed string
	Fault string
}

// consent is the form for a decision.
type consent struct {
	Action, Secret     string // URL of the form, and its CSRF token
	Code               string // the user code to compare; "": no device
	Client, URI, Scope string
	Resource           string
	RedirectHost       string // host of the redirect URI; "": no redirect
}

// servePage writes p. redirectTo is the origin that the response to a form may
// redirect to; "" for none: Chrome applies form-action to redirects too.
func servePage(w http.ResponseWriter, status int, p page, redirectTo string) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, p); err != nil {
		http.Error(w, "cannot render the page", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self' "+redirectTo+
		"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // fails only if the client has disconnected
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(style)
}

func (s *Server) serveHome(w http.ResponseWriter, _ *http.Request) {
	servePage(w, http.StatusOK, page{Title: "A demo MCP server", MCP: s.MCP()}, "")
}

// serveDevicePage shows the form for a user code, or, with a code in the URL, the
// consent form with the code to compare (RFC 8628 §3.3.1).
func (s *Server) serveDevicePage(w http.ResponseWriter, r *http.Request) {
	typed := r.FormValue("user_code")
	if typed == "" {
		servePage(w, http.StatusOK, page{Title: "Connect a device", Ask: &ask{}}, "")
		return
	}
	s.showDevice(w, typed)
}

// serveDeviceForm handles an entered code, then the decision about it.
func (s *Server) serveDeviceForm(w http.ResponseWriter, r *http.Request) {
	secret, typed := r.PostFormValue("form"), r.PostFormValue("user_code")
	if secret == "" {
		s.showDevice(w, typed)
		return
	}
	asked, ok := s.find(typed)
	approve := r.PostFormValue("decision") == "approve"
	switch {
	case !ok || !s.isForm(asked.UserCode, secret) || !s.decide(asked.UserCode, approve):
		servePage(w, http.StatusConflict, page{Title: "This request has ended",
			Message: "It was already answered, or it expired. Start again on your device."}, "")
	case approve:
		servePage(w, http.StatusOK, page{Title: "Approved", Code: asked.UserCode,
			Message: "Your device continues by itself within seconds. You can close this page."}, "")
	default:
		servePage(w, http.StatusOK, page{Title: "Denied", Code: asked.UserCode,
			Message: "The device did not get access. You can close this page."}, "")
	}
}

func (s *Server) decide(userCode string, approve bool) bool {
	if approve {
		return s.auth.ApproveDevice(userCode)
	}
	return s.auth.DenyDevice(userCode)
}

// showDevice shows the consent form for a user code.
func (s *Server) showDevice(w http.ResponseWriter, typed string) {
	asked, ok := s.find(typed)
	if !ok {
		servePage(w, http.StatusNotFound, page{Title: "Connect a device", Ask: &ask{Typed: typed,
			Fault: "No device is waiting with this code. Compare it with your device, or get a new code there."}}, "")
		return
	}
	servePage(w, http.StatusOK, page{Title: "Is this your device?", Consent: &consent{
		Action: "/device", Secret: s.formOf(asked.UserCode), Code: asked.UserCode,
		Client: asked.Client, URI: asked.URI, Scope: asked.Scope, Resource: s.MCP(),
	}}, "")
}

// find returns the pending request for a user code that the user entered.
func (s *Server) find(typed string) (oauthtest.Request, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.since) > time.Minute {
		s.since, s.wrongCodes = now, 0
	}
	if s.wrongCodes >= maxWrongCodes {
		return oauthtest.Request{}, false
	}
	asked, ok := s.auth.Waiting(typed)
	if !ok {
		s.wrongCodes++
	}
	return asked, ok
}

// formOf returns the secret of the consent form of a user code.
func (s *Server) formOf(userCode string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forms[userCode] == "" {
		s.forms[userCode] = rand.Text()
	}
	return s.forms[userCode]
}

func (s *Server) isForm(userCode, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.forms[userCode]
	return shown != "" && subtle.ConstantTimeCompare([]byte(shown), []byte(secret)) == 1
}

// askConsent shows the consent page of the authorization endpoint.
func (s *Server) askConsent(w http.ResponseWriter, _ *http.Request, asked oauthtest.Request) {
	to, err := url.Parse(asked.Redirect)
	if err != nil {
		http.Error(w, "bad redirect_uri", http.StatusBadRequest)
		return
	}
	servePage(w, http.StatusOK, page{Title: "Allow access?", Consent: &consent{
		Action: "/authorize", Secret: asked.ID, RedirectHost: to.Host,
		Client: asked.Client, URI: asked.URI, Scope: asked.Scope, Resource: s.MCP(),
	}}, asked.Redirect)
}

// serveConsent handles the decision of the consent page.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	if !s.auth.Answer(w, r, r.PostFormValue("form"), r.PostFormValue("decision") == "approve") {
		servePage(w, http.StatusConflict, page{Title: "This request has ended",
			Message: "It was already answered, or it expired. Start again in your program."}, "")
	}
}
