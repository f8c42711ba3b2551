package relay

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
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
	pageHome = page{http.StatusOK, "note", "Sign in with a code",
		"Open the link that your terminal shows, or scan its QR code.", nil, "", ""}
	pageWaiting = page{http.StatusOK, "note", "Almost done",
		"Your terminal is finishing the sign-in. This page updates by itself.", nil, "", ""}
	pageDone = page{http.StatusOK, "good", "Signed in",
		"You can close this page. Your terminal has signed in.", nil, "", ""}
	pageDenied = page{http.StatusOK, "note", "Access was not granted",
		"Nothing was changed. You can close this page. To try again, start a new sign-in in your terminal.", nil, "", ""}
	pageFailed = page{http.StatusOK, "bad", "The sign-in did not work",
		"Your terminal says why, and what to do next. You can close this page.", nil, "", ""}
	pageExpired = page{http.StatusGone, "note", "This link has expired",
		"Start a new sign-in in your terminal, and open the link that it shows.", nil, "", ""}
	pageTaken = page{http.StatusConflict, "note", "This link was already used",
		"Another browser has finished this sign-in. If that was not you, start a new sign-in in your terminal.", nil, "", ""}
	pageNoTries = page{http.StatusForbidden, "bad", "Too many wrong codes",
		"Start a new sign-in in your terminal, and open the link that it shows.", nil, "", ""}
	pageBadCallback = page{http.StatusBadRequest, "note", "This sign-in is not waiting",
		"It has expired, or its address is incomplete. Start a new sign-in in your terminal.", nil, "", ""}
	pageForeign  = page{http.StatusForbidden, "bad", "Not allowed", "Open the link that your terminal shows.", nil, "", ""}
	pageNotFound = page{http.StatusNotFound, "note", "Nothing here", "Open the link that your terminal shows.", nil, "", ""}
	pageTooMany  = page{http.StatusTooManyRequests, "note", "Too many requests", "Wait a minute, then open the link again.", nil, "", ""}
	pageBusy     = page{http.StatusServiceUnavailable, "note", "The relay is busy", "Wait a moment, then open the link again.", nil, "", ""}
)

// failedTexts say what went wrong by the error code of the authorization response.
// The authorization server's own words are not shown.
var failedTexts = map[string]string{
	"invalid_request":           "The authorization server did not accept the request. Your terminal says more. You can close this page.",
	"unauthorized_client":       "The authorization server does not let this client sign in. Your terminal says more. You can close this page.",
	"unsupported_response_type": "The authorization server does not offer this kind of sign-in. Your terminal says more. You can close this page.",
	"invalid_scope":             "The authorization server does not grant the access that was asked for. Your terminal says more. You can close this page.",
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

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(pageCSS) },
}).Parse(pageHTML))

// write sends the page. A browser that has gone away misses nothing.
func (p page) write(w http.ResponseWriter) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
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
