package authcode

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// reservedParams are the parameters of the authorization request that only this
// package sets: those of RFC 6749 §4.1.1, RFC 7636 §4.3 and RFC 8707 §2, those
// that would replace them all (RFC 9101 §5), and response_mode, which would
// change how the response arrives.
var reservedParams = []string{
	"response_type", "client_id", "redirect_uri", "scope", "state",
	"code_challenge", "code_challenge_method", "resource",
	"request", "request_uri", "response_mode",
}

// ParamError: an extra parameter would replace one that the flow sets itself.
type ParamError struct{ Name string }

func (e *ParamError) Error() string {
	return fmt.Sprintf("mcp-login sets the authorization parameter %q itself", e.Name)
}

// attempt is one authorization request, with the values that its response is
// checked against. It is never stored.
type attempt struct {
	server   oauth.Server // as validated before the request (RFC 9207 §2.4)
	url      string
	redirect string
	resource string
	state    string
	verifier string
	start    string // the last path segment of the page that redirects to url

	result chan result // holds the first accepted response
	done   chan struct{}

	mu      sync.Mutex
	used    bool
	outcome page // set before done is closed
}

// result is the code or error of an authorization response.
type result struct {
	code string
	err  error
}

func newAttempt(r flows.Request, redirect string) (*attempt, error) {
	a := &attempt{
		server:   r.Client.Server,
		redirect: redirect,
		resource: r.Resource,
		state:    rand.Text(),
		verifier: rand.Text() + rand.Text(), // RFC 7636 §4.1: 43 to 128 characters
		start:    rand.Text(),               // at least 128 bits
		result:   make(chan result, 1),
		done:     make(chan struct{}),
	}
	endpoint, err := oauth.CheckURL(a.server.AuthorizationEndpoint)
	if err != nil {
		return nil, fmt.Errorf("authorization endpoint: %w", err)
	}
	query, err := a.query(r, endpoint.Query())
	if err != nil {
		return nil, err
	}
	// RFC 6749 §3.1: keep the endpoint's own query.
	endpoint.RawQuery = strings.TrimPrefix(endpoint.RawQuery+"&"+query.Encode(), "&")
	endpoint.Fragment, endpoint.RawFragment = "", ""
	a.url = endpoint.String()
	return a, nil
}

// query returns the parameters to add to the endpoint's own query.
func (a *attempt) query(r flows.Request, own url.Values) (url.Values, error) {
	q := url.Values{}
	for name, values := range r.Params {
		if slices.Contains(reservedParams, name) {
			return nil, &ParamError{Name: name}
		}
		q[name] = slices.Clone(values)
	}
	for _, name := range reservedParams {
		// RFC 6749 §3.1: a parameter must not occur twice.
		if name == "resource" && own.Get(name) == r.Resource && len(own[name]) == 1 {
			continue // the endpoint's query already has it (getsentry/sentry-mcp)
		}
		if own.Has(name) {
			return nil, fmt.Errorf("authorization endpoint: its query sets %q: %w", name, flows.ErrUnsupported)
		}
	}
	challenge := sha256.Sum256([]byte(a.verifier))
	q.Set("response_type", "code")
	q.Set("client_id", r.Client.App.ID)
	q.Set("redirect_uri", a.redirect)
	q.Set("state", a.state)
	q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	q.Set("code_challenge_method", methodS256)
	if len(r.Scopes) > 0 {
		q.Set("scope", strings.Join(r.Scopes, " "))
	}
	if a.resource != "" && !own.Has("resource") {
		q.Set("resource", a.resource)
	}
	return q, nil
}

// grant returns the token request for a code (RFC 6749 §4.1.3, RFC 7636 §4.5,
// RFC 8707 §2.2).
func (a *attempt) grant(code string) url.Values {
	g := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {a.redirect},
		"code_verifier": {a.verifier},
	}
	if a.resource != "" {
		g.Set("resource", a.resource)
	}
	return g
}

// deliver passes a result to Run, unless an earlier one was delivered.
func (a *attempt) deliver(got result) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used {
		return errUsed
	}
	a.used = true
	a.result <- got
	return nil
}

// finish sets the outcome for the browser that waits for its page. No response
// is accepted afterward.
func (a *attempt) finish(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used = true
	a.outcome = outcomePage(err)
	close(a.done)
}

// wait waits for finish and returns the page with the outcome.
func (a *attempt) wait(ctx context.Context) page {
	select {
	case <-a.done:
		return a.outcome
	case <-ctx.Done():
		return pageError
	}
}
