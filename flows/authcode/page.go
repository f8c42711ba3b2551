package authcode

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// page is a web page for the browser. It consists of constants: it contains
// nothing that a server or another client sent.
type page struct {
	Status int
	Tone   string // "good", "bad" or "note"
	Title  string
	Text   string
}

var (
	pageDone = page{http.StatusOK, "good", "You are signed in",
		"The sign-in is complete. You can close this page and go back to your terminal."}
	pageDenied = page{http.StatusOK, "note", "Access was not granted",
		"You or the server declined, so nothing was changed. You can close this page."}
	pageError = page{http.StatusBadRequest, "bad", "The sign-in did not work",
		"Your terminal shows why, and what to do next. You can close this page."}
	pageUsed = page{http.StatusGone, "note", "This sign-in has ended",
		"It was already answered. To sign in again, start a new sign-in in your terminal."}
	pageOther = page{http.StatusBadRequest, "note", "Not the sign-in that is waiting",
		"This address belongs to another sign-in or is incomplete. Open the address that your terminal shows."}
	pageForeign  = page{http.StatusForbidden, "bad", "Not allowed", "Open the address that your terminal shows."}
	pageMethod   = page{http.StatusMethodNotAllowed, "bad", "Not allowed", "Open the address that your terminal shows."}
	pageNotFound = page{http.StatusNotFound, "note", "Nothing here", "Open the address that your terminal shows."}
)

// outcomePage returns the page for the end of a login. Errors are shown only in
// the terminal, to the user who started the login.
func outcomePage(err error) page {
	switch {
	case err == nil:
		return pageDone
	case errors.Is(err, flows.ErrDenied):
		return pageDenied
	}
	return pageError
}

// setSecurityHeaders sets the headers of every response: no caching, no Referer (the URL
// has the code), no external resources, no framing.
func setSecurityHeaders(h http.Header) {
	style := sha256.Sum256([]byte(pageCSS))
	h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'sha256-"+
		base64.StdEncoding.EncodeToString(style[:])+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// icons are SVG paths: a tick, a cross, an exclamation mark.
var icons = map[string]string{
	"good": "m15 25 6.5 6.5L34 18",
	"bad":  "m17 17 14 14m0-14L17 31",
	"note": "M24 13v14m0 7v.01",
}

// write sends the page. It ignores errors, because the browser may have closed
// the connection.
func (p page) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = strings.NewReplacer(
		"{title}", p.Title, "{text}", p.Text, "{tone}", p.Tone, "{mark}", icons[p.Tone], "{style}", pageCSS,
	).WriteString(w, pageHTML)
}
