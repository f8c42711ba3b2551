package relay

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"sync"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// page is what a browser is shown. Its texts are constants. What a client claims
// is in Ask alone, escaped by the template.
type page struct {
	Status   int
	Tone     string // "good", "bad" or "note"
	Title    string
	Text     string
	Ask      *ask
	Link     string // an address to go on to
	LinkHost string
	Enter    bool // a code can be typed
}

// ask is a question to the person: the claims of a client, and a form.
type ask struct {
	Code                  string // to compare with the terminal's; "": it must be typed
	Server, Issuer, Label string
	Target                string // the host to sign in at
	Action, Button        string
	Type                  bool // the code must be typed
	Query                 string
}

var (
	pageHome = page{Status: http.StatusOK, Tone: "note", Title: "Sign in with a code",
		Text: "Open the link that your terminal shows, or type the code.", Enter: true}
	pageWaiting = page{Status: http.StatusOK, Tone: "note", Title: "Almost done",
		Text: "Your terminal is finishing the sign-in. This page updates by itself."}
	pageDone = page{Status: http.StatusOK, Tone: "good", Title: "Signed in",
		Text: "You can close this page. Your terminal has signed in."}
	pageDenied = page{Status: http.StatusOK, Tone: "note", Title: "Access was not granted",
		Text: "Nothing was changed. You can close this page. To try again, start a new sign-in in your terminal."}
	pageFailed = page{Status: http.StatusOK, Tone: "bad", Title: "The sign-in did not work",
		Text: "Your terminal shows why, and what to do next. You can close this page."}
	pageExpired = page{Status: http.StatusGone, Tone: "note", Title: "This link has expired",
		Text: "Start a new sign-in in your terminal, and open the link that it shows."}
	pageTaken = page{Status: http.StatusConflict, Tone: "note", Title: "This link was already used",
		Text: "Another browser has finished this sign-in. If that was not you, start a new sign-in in your terminal."}
	pageNoTries = page{Status: http.StatusForbidden, Tone: "bad", Title: "Too many wrong codes",
		Text: "Start a new sign-in in your terminal, and open the link that it shows."}
	pageBadCallback = page{Status: http.StatusBadRequest, Tone: "note", Title: "This sign-in is not waiting",
		Text: "It has expired, or its address is incomplete. Start a new sign-in in your terminal."}
	pageForeign = page{Status: http.StatusForbidden, Tone: "bad", Title: "Not allowed",
		Text: "Open the link that your terminal shows."}
	pageNotFound = page{Status: http.StatusNotFound, Tone: "note", Title: "Nothing here",
		Text: "Open the link that your terminal shows."}
	pageTooMany = page{Status: http.StatusTooManyRequests, Tone: "note", Title: "Too many requests",
		Text: "Wait a minute, then open the link again."}
	pageBusy = page{Status: http.StatusServiceUnavailable, Tone: "note", Title: "The relay is busy",
		Text: "Wait a moment, then open the link again."}
)

// failedTexts say what went wrong by the error code of the authorization response.
// The authorization server's own words are not shown.
var failedTexts = map[string]string{
	"invalid_request":           "The authorization server did not accept the request. Your terminal has the details. You can close this page.",
	"unauthorized_client":       "The authorization server does not let this client sign in. Your terminal has the details. You can close this page.",
	"unsupported_response_type": "The authorization server does not offer this kind of sign-in. Your terminal has the details. You can close this page.",
	"invalid_scope":             "The authorization server did not grant the requested access. Your terminal has the details. You can close this page.",
	"server_error":              "The authorization server reported an error. Try again later. You can close this page.",
	"temporarily_unavailable":   "The authorization server is busy. Try again later. You can close this page.",
}

// outcomePage shows how a session stands to the browser that signs in.
func outcomePage(s Session) page {
	switch {
	case s.Outcome == "":
		return pageWaiting
	case s.Outcome == OutcomeOK:
		return pageDone
	case s.Outcome == OutcomeDenied || s.Failure == "access_denied":
		return pageDenied
	}
	p := pageFailed
	if text := failedTexts[s.Failure]; text != "" {
		p.Text = text
	}
	return p
}

// pageTemplate is parsed when the first page is shown: most commands show none.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(pageCSS) },
	}).Parse(pageHTML))
})

// write sends the page. A browser that has gone away misses nothing.
func (p page) write(w http.ResponseWriter) {
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, p); err != nil {
		panic(fmt.Sprintf("relay page: %v", err)) // the template fits the type
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b.Bytes())
}

// secure sets the headers of every answer: nothing is kept, loaded from elsewhere,
// framed or run. Referrer-Policy is same-origin because no-referrer would make the
// Origin of the page's own form null.
func (r *Relay) secure(h http.Header) {
	style := sha256.Sum256([]byte(pageCSS))
	h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'sha256-"+
		base64.StdEncoding.EncodeToString(style[:])+"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.base.Scheme == "https" {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
