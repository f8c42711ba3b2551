package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxBody limits every response body, in bytes.
const maxBody = 1 << 20

// response is a server's response with its whole body.
type response struct {
	url    string // without query, for error texts
	status int
	header http.Header
	body   []byte
	sent   time.Time // when the request was sent
}

// getJSON fetches a JSON document into v. A status other than 200 is an *Error.
func getJSON(ctx context.Context, c *http.Client, rawURL string, header http.Header, v any) error {
	a, err := send(ctx, c, http.MethodGet, rawURL, header, nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return a.statusError()
	}
	return a.decode(v)
}

// statusError returns an *Error without an OAuth error code.
func (a *response) statusError() *Error {
	return &Error{Status: a.status, Endpoint: a.url, ContentType: a.contentType(), RetryAfter: a.retryAfter()}
}

// postForm sends a form. It returns any status as a response: see errorOf.
func postForm(ctx context.Context, c *http.Client, rawURL string, header http.Header, form url.Values) (*response, error) {
	header = withHeader(header, "Content-Type", "application/x-www-form-urlencoded")
	return send(ctx, c, http.MethodPost, rawURL, header, []byte(form.Encode()))
}

// postJSON sends a JSON document. It returns any status as a response: see
// errorOf.
func postJSON(ctx context.Context, c *http.Client, rawURL string, header http.Header, v any) (*response, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return send(ctx, c, http.MethodPost, rawURL, withHeader(header, "Content-Type", "application/json"), body)
}

// send sends one request and reads the whole response, with any status.
func send(ctx context.Context, c *http.Client, method, rawURL string, header http.Header, body []byte) (*response, error) {
	resp, sent, err := do(ctx, c, method, rawURL, header, body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	a := &response{url: displayURL(resp.Request.URL), status: resp.StatusCode, header: resp.Header, sent: sent}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, readError(a.url, err)
	}
	if len(a.body) > maxBody {
		return nil, fmt.Errorf("%w: %s sent more than 1 MiB", ErrAnswer, a.url)
	}
	return a, nil
}

// do sends a request after checking its URL. The caller closes the body.
func do(ctx context.Context, c *http.Client, method, rawURL string, header http.Header, body []byte) (*http.Response, time.Time, error) {
	if c == nil {
		return nil, time.Time{}, errors.New("the http.Client is missing")
	}
	u, err := CheckURL(rawURL)
	if err != nil {
		return nil, time.Time{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, time.Time{}, err
	}
	r.Header = withHeader(header, "User-Agent", userAgent)
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json")
	}
	guarded := *c
	guarded.CheckRedirect = checkRedirect
	sent := time.Now()
	resp, err := guarded.Do(r)
	return resp, sent, err
}

// withHeader returns a copy of h with a header set.
func withHeader(h http.Header, name, value string) http.Header {
	h = h.Clone()
	if h == nil {
		h = make(http.Header)
	}
	h.Set(name, value)
	return h
}

// errNotJSON is ErrAnswer for a body that is not a JSON object.
var errNotJSON = fmt.Errorf("%w: not a JSON object", ErrAnswer)

// decode parses the body, a JSON object, into v. The error never quotes the
// body.
func (a *response) decode(v any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(a.body, " \t\r\n"), []byte("{")) {
		return fmt.Errorf("%w: %s%s", errNotJSON, a.url, ofType(a.contentType()))
	}
	err := unmarshal(a.body, v)
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%w: %s sent %q with a wrong type", ErrAnswer, a.url, Sanitize(memberOf(t), maxCode))
	}
	if err != nil {
		return fmt.Errorf("%w: %s sent broken JSON", ErrAnswer, a.url)
	}
	return nil
}
