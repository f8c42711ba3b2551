package relay

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// waitingRefresh is the refresh interval of the page while the terminal completes
// the sign-in.
const waitingRefresh = "2"

func (r *Relay) serveHome(w http.ResponseWriter, _ *http.Request) { pageHome.write(w) }

// serveTyped redirects to the page of a code that was entered on the home page.
func (r *Relay) serveTyped(w http.ResponseWriter, req *http.Request) {
	code := normalize(req.URL.Query().Get("code"))
	if code == "" {
		pageHome.write(w)
		return
	}
	http.Redirect(w, req, "/s/"+shownCode(code), http.StatusSeeOther)
}

// byCode returns the session of a page's code. Unknown codes count toward the
// limit of the address.
func (r *Relay) byCode(w http.ResponseWriter, req *http.Request) (Session, bool) {
	from := r.address(req)
	if r.wrongCodes.exceeded(from) {
		r.tooMany(w, req)
		return Session{}, false
	}
	code := normalize(req.PathValue("code"))
	err := ErrEnded
	var s Session
	if code != "" {
		s, err = r.cfg.Sessions.Find(req.Context(), Key{UserCode: code})
	}
	switch {
	case errors.Is(err, ErrEnded):
		r.wrongCodes.allow(from)
		pageExpired.write(w)
	case err != nil:
		pageBusy.write(w)
	}
	return s, err == nil
}

// serveStart shows the request, or the state of the session. It changes nothing,
// so that a link preview cannot start a sign-in.
func (r *Relay) serveStart(w http.ResponseWriter, req *http.Request) {
	s, ok := r.byCode(w, req)
	switch ours := s.isBrowser(r.cookie(req, s)); {
	case !ok:
	case ours && (s.Query != "" || s.Outcome != ""):
		if s.Outcome == "" {
			w.Header().Set("Refresh", waitingRefresh)
		}
		outcomePage(s).write(w)
	case s.Query != "" || s.Outcome != "":
		pageTaken.write(w)
	case s.Browser == "" || ours:
		r.startPage(s).write(w)
	default:
		r.takeOverPage(s, false).write(w)
	}
}

func (r *Relay) startPage(s Session) page {
	p := page{Status: http.StatusOK, Tone: "note", Title: "Sign in on your terminal?",
		Text: "Compare this code with the one on your terminal. Continue only if they are the same."}
	p.Ask = r.ask(s)
	p.Ask.Code, p.Ask.Button = shownCode(s.UserCode), "The codes match: continue"
	return p
}

func (r *Relay) takeOverPage(s Session, wrong bool) page {
	p := page{Status: http.StatusOK, Tone: "note", Title: "Started in another browser",
		Text: "To continue here, type the code that your terminal shows."}
	if wrong {
		p.Status, p.Tone, p.Text = http.StatusForbidden, "bad", "That is not the code. Type the code that your terminal shows."
	}
	p.Ask = r.ask(s)
	p.Ask.Type, p.Ask.Button = true, "Continue"
	return p
}

func (r *Relay) ask(s Session) *ask {
	return &ask{Server: s.Server, Issuer: s.Issuer, Label: s.Label, Target: hostOf(s.AuthorizationURL), Action: "/s/" + shownCode(s.UserCode)}
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// serveGo binds the session to this browser and redirects it to the
// authorization server. It uses a Refresh header: Chromium applies form-action
// to a redirect after a form, too.
func (r *Relay) serveGo(w http.ResponseWriter, req *http.Request) {
	s, ok := r.byCode(w, req)
	if !ok {
		return
	}
	had, next := r.cookie(req, s), newSecret()
	s, err := r.try(req, s.ID, func(s *Session) error { return s.start(had, next, req.PostFormValue("code")) })
	switch {
	case err == nil:
		r.setCookie(w, s, next)
		w.Header().Set("Refresh", "0; url="+s.AuthorizationURL)
		page{Status: http.StatusOK, Tone: "note", Title: "Continuing to the sign-in", Text: "Your browser continues by itself.",
			Link: s.AuthorizationURL, LinkHost: hostOf(s.AuthorizationURL)}.write(w)
	case errors.Is(err, errAnswered) && s.isBrowser(had):
		http.Redirect(w, req, "/s/"+shownCode(s.UserCode), http.StatusSeeOther)
	default:
		r.refuse(w, s, err)
	}
}

// refuse shows why a browser cannot use a session.
func (r *Relay) refuse(w http.ResponseWriter, s Session, err error) {
	switch {
	case errors.Is(err, errOtherBrowser):
		r.takeOverPage(s, false).write(w)
	case errors.Is(err, errWrongCode):
		r.takeOverPage(s, true).write(w)
	case errors.Is(err, errNoTries):
		pageNoTries.write(w)
	case errors.Is(err, errAnswered):
		pageTaken.write(w)
	case errors.Is(err, ErrEnded):
		pageExpired.write(w)
	default:
		pageBusy.write(w)
	}
}

// try changes a session by act. It counts a wrong code although act fails.
func (r *Relay) try(req *http.Request, id string, act func(*Session) error) (Session, error) {
	var refused error
	s, err := r.cfg.Sessions.Change(req.Context(), id, func(s *Session) error {
		refused = act(s)
		if errors.Is(refused, errWrongCode) {
			return nil
		}
		return refused
	})
	if err == nil {
		err = refused
	}
	return s, err
}

// serveCallback receives the authorization response. The browser that started the
// sign-in is known by its cookie; another one must know the code.
func (r *Relay) serveCallback(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet || strings.Contains(req.Header.Get("Sec-Purpose"), "prefetch") {
		w.WriteHeader(http.StatusServiceUnavailable) // HEAD and prefetch requests are not the user's navigation
		return
	}
	s, ok := r.byState(w, req, req.URL.RawQuery)
	if !ok {
		return
	}
	cookie := r.cookie(req, s)
	if !s.isBrowser(cookie) && s.Query == "" && s.Outcome == "" {
		r.callbackCodePage(s, req.URL.RawQuery, false).write(w)
		return
	}
	r.take(w, req, s, req.URL.RawQuery, func(s *Session) error {
		if !s.isBrowser(cookie) {
			return errOtherBrowser
		}
		return nil
	})
}

// serveCallbackCode receives the authorization response with the code that the
// user entered.
func (r *Relay) serveCallbackCode(w http.ResponseWriter, req *http.Request) {
	query := req.PostFormValue("query")
	s, ok := r.byState(w, req, query)
	if !ok {
		return
	}
	next := newSecret()
	r.take(w, req, s, query, func(s *Session) error {
		if s.Query != "" || s.Outcome != "" {
			return errAnswered
		}
		err := s.takeOver(next, req.PostFormValue("code"))
		if err == nil {
			r.setCookie(w, *s, next)
		}
		return err
	})
}

// take stores the response if prove accepts the browser.
func (r *Relay) take(w http.ResponseWriter, req *http.Request, s Session, query string, prove func(*Session) error) {
	q, _ := url.ParseQuery(query) // byState has validated it
	s, err := r.try(req, s.ID, func(s *Session) error {
		if err := prove(s); err != nil {
			return err
		}
		return s.answer(query, failure(q))
	})
	switch {
	case err == nil:
		r.metrics.answered.Inc()
	case errors.Is(err, errWrongCode):
		r.callbackCodePage(s, query, true).write(w)
		return
	case errors.Is(err, errOtherBrowser) && s.Query == "" && s.Outcome == "":
		r.callbackCodePage(s, query, false).write(w)
		return
	case !errors.Is(err, errAnswered) && !errors.Is(err, errOtherBrowser):
		r.refuse(w, s, err)
		return
	}
	// The URL of the next page has no code, and can be reloaded.
	http.Redirect(w, req, "/s/"+shownCode(s.UserCode), http.StatusSeeOther)
}

func (r *Relay) callbackCodePage(s Session, query string, wrong bool) page {
	p := r.takeOverPage(s, wrong)
	p.Title = "Finish the sign-in here?"
	p.Ask.Action, p.Ask.Query, p.Ask.Target = CallbackPath, query, ""
	return p
}

// byState returns the session that an authorization response is for.
func (r *Relay) byState(w http.ResponseWriter, req *http.Request, query string) (Session, bool) {
	q, err := url.ParseQuery(query)
	if err != nil || len(query) > maxQuery || len(q["state"]) != 1 || q.Has("code") == q.Has("error") {
		pageBadCallback.write(w)
		return Session{}, false
	}
	s, err := r.cfg.Sessions.Find(req.Context(), Key{StateHash: hash(q.Get("state"))})
	switch {
	case errors.Is(err, ErrEnded):
		pageBadCallback.write(w)
	case err != nil:
		pageBusy.write(w)
	}
	return s, err == nil
}

// cookieName contains the hash of the state, so that two sign-ins in one browser
// do not collide. Browsers do not send __Host- cookies to other hosts or over
// http.
func (r *Relay) cookieName(s Session) string {
	name := "mcp-login-" + s.StateHash[:min(len(s.StateHash), 16)]
	if r.base.Scheme == "https" {
		return "__Host-" + name
	}
	return name
}

func (r *Relay) cookie(req *http.Request, s Session) string {
	c, err := req.Cookie(r.cookieName(s))
	if err != nil {
		return ""
	}
	return c.Value
}

func (r *Relay) setCookie(w http.ResponseWriter, s Session, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: r.cookieName(s), Value: value, Path: "/", MaxAge: max(1, int(time.Until(s.Expiry).Seconds())),
		Secure: r.base.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
