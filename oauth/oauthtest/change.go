package oauthtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// change is a change of the server's behavior by a quirk. Nil functions change
// nothing.
type change struct {
	// instead handles a request instead of the server. It returns false to let the
	// server handle it.
	instead func(e Endpoint, w http.ResponseWriter, r *http.Request) bool
	// after changes the server's response to a request.
	after func(e Endpoint, r *http.Request, a *reply)
	// metadata are the only paths of the authorization server's documents; nil: the
	// usual ones.
	metadata []string
}

// reply is a response before it is sent.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// changed returns the handler with all changes applied.
func (s *Server) changed(e Endpoint, handle http.HandlerFunc) http.HandlerFunc {
	if len(s.quirks) == 0 {
		return handle
	}
	return func(w http.ResponseWriter, r *http.Request) {
		for _, q := range s.quirks {
			if q.instead != nil && q.instead(e, w, r) {
				return
			}
		}
		rec := httptest.NewRecorder()
		handle(rec, r)
		a := &reply{status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
		for _, q := range s.quirks {
			if q.after != nil {
				q.after(e, r, a)
			}
		}
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body) // the client has disconnected
	}
}

// edit changes the members of a JSON response.
func (a *reply) edit(change func(doc map[string]any)) {
	var doc map[string]any
	d := json.NewDecoder(strings.NewReader(string(a.body)))
	d.UseNumber()
	if d.Decode(&doc) != nil || doc == nil {
		return
	}
	change(doc)
	a.body, _ = json.Marshal(doc) // cannot fail: it was JSON before
}

// code returns the OAuth error code of a JSON response; "" if none.
func (a *reply) code() string {
	var doc struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(a.body, &doc) // no JSON: no code
	return doc.Error
}

// document returns a change of an endpoint's successful JSON responses.
func document(e Endpoint, edit func(doc map[string]any)) change {
	return change{after: func(at Endpoint, _ *http.Request, a *reply) {
		if at == e && a.status < 300 {
			a.edit(edit)
		}
	}}
}

// refusing returns a change that rejects some requests with an OAuth error.
func refusing(status int, code, description string, which func(e Endpoint, r *http.Request) bool) change {
	return change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
		if !which(e, r) {
			return false
		}
		refuse(w, status, code, description)
		return true
	}}
}

// at returns a function that matches requests of the given endpoints.
func at(endpoints ...Endpoint) func(Endpoint, *http.Request) bool {
	return func(e Endpoint, _ *http.Request) bool { return slices.Contains(endpoints, e) }
}

// refreshing matches refresh requests.
func refreshing(e Endpoint, r *http.Request) bool {
	return e == Token && r.PostForm.Get("grant_type") == "refresh_token"
}

// challenging returns a change of the MCP server's challenge.
func challenging(value func(metadata string) []string) change {
	return change{after: func(e Endpoint, r *http.Request, a *reply) {
		if e == MCP && a.status == http.StatusUnauthorized {
			a.header["Www-Authenticate"] = value(baseURL(r) + wellKnownResource + "/mcp")
		}
	}}
}

// replace replaces the response by that of a handler.
func (a *reply) replace(answer http.HandlerFunc, r *http.Request) {
	rec := httptest.NewRecorder()
	answer(rec, r)
	a.status, a.header, a.body = rec.Code, rec.Header(), rec.Body.Bytes()
}

// bodyOf returns the body, which can be read again.
func bodyOf(r *http.Request) string {
	body, _ := io.ReadAll(r.Body) // it is in memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	return string(body)
}
