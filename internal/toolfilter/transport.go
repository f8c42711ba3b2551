package toolfilter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// codeHeaderMismatch is the JSON-RPC error code of SEP-2243.
const codeHeaderMismatch = -32020

// Around returns a transport that applies the rules to what base sends and receives.
func (f *Filter) Around(base http.RoundTripper) http.RoundTripper {
	if f == nil {
		return base
	}
	return &transport{f, base}
}

type transport struct {
	*Filter
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Header.Del("Accept-Encoding") // responses are read here
	if req.Method != http.MethodPost {
		out.Body, out.GetBody, out.ContentLength = nil, nil, 0 // a server might read a message from it
		if req.Body != nil {
			req.Body.Close()
		}
		return t.filterResponse(out)
	}
	body, err := readAll(req.Body)
	if err != nil {
		return nil, err
	}
	msgs, batch, err := readMessages(body)
	if err == nil && req.Header.Get("Content-Encoding") != "" {
		err = fmt.Errorf("%w: it is encoded", ErrAmbiguous)
	}
	if err == nil {
		err = checkHeaders(req.Header, msgs)
	}
	if err != nil {
		t.log.Warn("message not forwarded", "error", err)
		code := mcpwire.CodeInvalid
		if errors.Is(err, errHeaders) {
			code = codeHeaderMismatch
		}
		return mcpwire.Respond(req, http.StatusBadRequest, mcpwire.Failure(singleID(msgs), code, err.Error())), nil
	}
	if resp, err := t.refuseCalls(req, msgs, batch); resp != nil || err != nil {
		return resp, err
	}
	out.Header.Set("Content-Type", mcpwire.TypeJSON) // no other charset
	out.ContentLength = int64(len(body))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.Body, _ = out.GetBody() // it cannot fail
	return t.filterResponse(out)
}

// filterResponse sends a request and filters each message in the response: a server may
// answer a request for its tools in the response to another request. Clients differ in
// which statuses, media types and encodings they accept, so what cannot be filtered has no
// body.
func (t *transport) filterResponse(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil || resp.StatusCode < 200 || resp.StatusCode >= 300 {
		return resp, err
	}
	mediaType := mcpwire.MediaType(resp)
	switch encoded := resp.Header.Get("Content-Encoding") != ""; {
	case !encoded && mediaType == mcpwire.TypeEvents:
		resp.Body = &stream{resp.Body, newEvents(req.Context(), resp.Body), t.filterMessages}
		return resp, nil
	case !encoded && mediaType == mcpwire.TypeJSON:
		if err := t.filterDocument(req.Context(), resp); err != nil {
			return nil, err
		}
		return resp, nil
	}
	resp.Body.Close()
	resp.Header.Del("Content-Encoding")
	resp.Body, resp.ContentLength = http.NoBody, 0
	resp.Header.Set("Content-Length", "0")
	return resp, nil
}

// filterDocument filters a response that is one JSON text.
func (t *transport) filterDocument(ctx context.Context, resp *http.Response) error {
	buf, text, err := readText(ctx, resp.Body)
	if err != nil {
		return err
	}
	if mcpwire.Prefix(text) == nil && len(bytes.TrimSpace(text)) > 0 {
		buf.Reset()
		return errUnreadable
	}
	text = t.filterMessages(text)
	resp.Body = &document{bytes.NewReader(text), buf}
	resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
	resp.ContentLength = int64(len(text))
	return nil
}

// errUnreadable means that a response is not forwarded because it cannot be filtered.
// Some readers understand more than JSON in UTF-8, such as UTF-16 or a byte order mark.
var errUnreadable = errors.New("the server sends data that is not JSON in UTF-8, so its lists of tools cannot be filtered")

// readText reads and closes a body. The text is valid until the buffer is reset.
func readText(ctx context.Context, body io.ReadCloser) (*buffer.Buffer, []byte, error) {
	defer body.Close()
	buf := buffer.New(buffer.AccountOf(ctx), maxMessage)
	err := buf.ReadFrom(ctx, body)
	if err == nil {
		var text []byte
		if text, err = buf.Bytes(ctx); err == nil {
			return buf, text, nil
		}
	}
	buf.Reset()
	return nil, nil, err
}

// document is the body of a filtered response.
type document struct {
	io.Reader
	buf *buffer.Buffer // that the reader reads from
}

// Close implements io.Closer.
func (d *document) Close() error {
	d.buf.Reset()
	return nil
}

// refuseCalls returns the response to messages that are not forwarded; nil if they may
// pass. If one of a batch may not, none does.
func (t *transport) refuseCalls(req *http.Request, sent []message, batch bool) (*http.Response, error) {
	why := make([]string, len(sent))
	refused := false
	for i, m := range sent {
		if !m.isCall() {
			continue
		}
		resp, reason, err := t.checkCall(req, m)
		if resp != nil || err != nil {
			return resp, err
		}
		if reason != "" {
			refused = true
			why[i] = t.logRefusal(m.tool, reason)
		}
	}
	if !refused {
		return nil, nil
	}
	switch answers := refusalResponses(sent, why); {
	case len(answers) == 0:
		return mcpwire.Respond(req, http.StatusAccepted, nil), nil // notifications have no response
	case batch:
		return mcpwire.Respond(req, http.StatusOK, jsonArray(answers)), nil
	default:
		return mcpwire.Respond(req, http.StatusOK, answers[0]), nil
	}
}

// refusalResponses are the responses to messages of which at least one is not allowed.
func refusalResponses(sent []message, why []string) (answers []json.RawMessage) {
	for i, m := range sent {
		if m.id == nil || m.method == "" {
			continue
		}
		if why[i] == "" {
			why[i] = "not forwarded: another call of the batch is not allowed"
		}
		answers = append(answers, mcpwire.Failure(m.id, mcpwire.CodeParams, why[i]))
	}
	return answers
}

// singleID returns the id of a single request; nil if there is none.
func singleID(sent []message) json.RawMessage {
	if len(sent) == 1 {
		return sent[0].id
	}
	return nil
}

// readAll reads and closes a body.
func readAll(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxMessage+1))
	if err == nil && len(text) > maxMessage {
		err = buffer.TooLong(maxMessage)
	}
	return text, err
}
