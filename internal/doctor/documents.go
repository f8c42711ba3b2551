package doctor

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"

	"github.com/mcp-login/mcp-login/oauth"
)

// document is a JSON document as it was published.
type document struct {
	url    string
	fields map[string]any
}

// reading says which documents are expected, and which clauses apply.
type reading struct {
	wanted func(url string) bool
	named  func(url string) bool // the server names this URL
	answer string                // clause of the specification about the response
	naming string                // clause about the named URLs
}

// documents returns the distinct documents from the wanted URLs, and a finding for
// each URL that should have one but does not. None means that every URL responded
// that it has no document.
func (a *area) documents(seen *recorder, r reading) (docs []document, none bool) {
	done := map[string]bool{}
	for _, x := range seen.of(r.wanted) {
		if done[x.url] {
			continue
		}
		done[x.url] = true
		if x.resp == nil {
			continue // a network error, which is reported elsewhere
		}
		last := seen.last(x)
		switch code := last.resp.StatusCode; {
		case code == http.StatusOK:
			if d, ok := a.read(x.url, last, r); ok {
				docs = append(docs, d)
			}
		case code >= 500 || code == http.StatusTooManyRequests:
			a.fail(place(x.url), fmt.Sprintf("it answers HTTP %d, so clients cannot know whether the document exists", code), r.answer, "try again later, or ask the server's operator to fix it")
		case last != x || code < 400:
			a.warn(place(x.url), fmt.Sprintf("it redirects to %s, which has no document", oauth.Sanitize(x.resp.Header.Get("Location"), 200)), r.answer, "ask its operator to publish the document there, or to answer 404")
		case r.named(x.url):
			a.fail(place(x.url), fmt.Sprintf("the server names this URL, but nothing is there (HTTP %d)", code), r.naming, "ask the server's operator to publish the metadata there")
		default:
			none = true
		}
	}
	return docs, none && len(docs) == 0 && len(a.findings) == 0
}

// read reads the document of an exchange.
func (a *area) read(at string, x *exchange, r reading) (document, bool) {
	d := document{url: at}
	if err := json.Unmarshal(x.body.Bytes(), &d.fields); err != nil {
		a.warn(place(at), "the answer is not a JSON object", r.answer, "ask its operator to publish a JSON object there, or to answer 404")
		return d, false
	}
	if media, _, _ := mime.ParseMediaType(x.resp.Header.Get("Content-Type")); media != "application/json" {
		a.warn(place(at), fmt.Sprintf("the media type is %q, not application/json", oauth.Sanitize(media, 60)), r.answer, "")
	}
	return d, true
}

// maxHops limits how many recorded redirects are followed.
const maxHops = 3

// last returns the exchange at which redirects of one ended.
func (r *recorder) last(x *exchange) *exchange {
	for range maxHops {
		to, err := x.resp.Location()
		if x.resp.StatusCode < 300 || x.resp.StatusCode >= 400 || err != nil {
			break
		}
		next := r.of(func(u string) bool { return u == to.String() })
		if len(next) == 0 || next[0].resp == nil {
			break
		}
		x = next[0]
	}
	return x
}
