package relay

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io"
	"net/http"

	"github.com/mcp-login/mcp-login/internal/markup"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// page is a web page. Its texts are constants. Claims of a client are only in
// Ask, escaped.
type page struct {
	Status   int
	Tone     string // "good", "bad" or "note"
	Title    string
	Text     string
	Ask      *ask
	Link     string // URL of the next page
	LinkHost string
	Enter    bool // a code can be typed
}

// ask is a question to the user: the claims of a client, and a form.
type ask struct {
	Code                  string // for comparison with the terminal; "": the code must be typed
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
// The error_description is not shown.
var failedTexts = map[string]string{
	"invalid_request":           "The authorization server did not accept the request. Your terminal has the details. You can close this page.",
	"unauthorized_client":       "The authorization server does not let this client sign in. Your terminal has the details. You can close this page.",
	"unsupported_response_type": "The authorization server does not offer this kind of sign-in. Your terminal has the details. You can close this page.",
	"invalid_scope":             "The authorization server did not grant the requested access. Your terminal has the details. You can close this page.",
	"server_error":              "The authorization server reported an error. Try again later. You can close this page.",
	"temporarily_unavailable":   "The authorization server is busy. Try again later. You can close this page.",
}

// outcomePage returns the page with the state of a session, for the browser
// that signs in.
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

// Optional parts of a page.
const (
	codeField markup.HTML = `<label for="code">Code on the terminal</label>
<input id="code" name="code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="12" placeholder="XXXX-XXXX" required>`
	enterHTML markup.HTML = `<form action="/s">
` + codeField + `
<button>Continue</button>
</form>`
	linkHTML markup.HTML = `<p><a href="{link}" rel="noreferrer">Continue to {host}</a></p>`
	askHTML  markup.HTML = `{code}
<dl>
<dt>The machine calls itself</dt><dd>{label}</dd>
<dt>It wants access to</dt><dd>{server}</dd>
<dt>It says that the token comes from</dt><dd>{issuer}</dd>
{target}
</dl>
<p class="warn">Did someone send you this link? Then close this page: going on would sign their machine in to your account.</p>
{form}`
	formHTML markup.HTML = `<form method="post" action="{action}">
{query}
{field}
<button>{button}</button>
</form>`
)

// html returns the question as HTML; "" if none.
func (a *ask) html() markup.HTML {
	if a == nil {
		return ""
	}
	return markup.Fill(askHTML,
		"{code}", markup.If(markup.Text(a.Code), `<p class="code" aria-label="Code">{}</p>`),
		"{label}", markup.Text(cmp.Or(a.Label, "(no name)")),
		"{server}", markup.Text(cmp.Or(a.Server, "(not said)")),
		"{issuer}", markup.Text(cmp.Or(a.Issuer, "(not said)")),
		"{target}", markup.If(markup.Text(a.Target), `<dt>You sign in at</dt><dd>{}</dd>`),
		"{form}", a.form())
}

func (a *ask) form() markup.HTML {
	if a.Action == "" {
		return ""
	}
	var field markup.HTML
	if a.Type {
		field = codeField
	}
	return markup.Fill(formHTML,
		"{action}", markup.Href(a.Action),
		"{query}", markup.If(markup.Text(a.Query), `<input type="hidden" name="query" value="{}">`),
		"{field}", field,
		"{button}", markup.Text(a.Button))
}

// more returns the optional link or the field for a code.
func (p page) more() markup.HTML {
	switch {
	case p.Enter:
		return enterHTML
	case p.Link != "":
		return markup.Fill(linkHTML, "{link}", markup.Href(p.Link), "{host}", markup.Text(p.LinkHost))
	}
	return ""
}

// write sends the page. It ignores errors, because the browser may have
// disconnected.
func (p page) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = io.WriteString(w, string(markup.Fill(markup.HTML(pageHTML),
		"{title}", markup.Text(p.Title), "{text}", markup.Text(p.Text), "{tone}", markup.Text(p.Tone),
		"{style}", markup.HTML(pageCSS), "{ask}", p.Ask.html(), "{more}", p.more())))
}

// secure sets the headers of every response: no caching, external resources,
// framing or scripts. Referrer-Policy is same-origin because no-referrer would
// make the Origin of the page's own form null.
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
