package toolfilter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	typeJSON   = "application/json"
	typeEvents = "text/event-stream"
)

// JSON-RPC error codes (JSON-RPC 2.0 §5.1, SEP-2243). That of a call is the one with which a
// server answers a call of a tool that it does not have.
const (
	codeInvalidRequest = -32600
	codeInvalidParams  = -32602
	codeHeaderMismatch = -32020
)

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
	out.Header.Del("Accept-Encoding") // answers are read here
	if req.Method != http.MethodPost {
		out.Body, out.GetBody, out.ContentLength = nil, nil, 0 // a server might read a message from it
		if req.Body != nil {
			req.Body.Close()
		}
		return t.filterResponse(t.base.RoundTrip(out))(t.filterMessages)
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
		code := codeInvalidRequest
		if errors.Is(err, errHeaders) {
			code = codeHeaderMismatch
		}
		return respond(req, http.StatusBadRequest, errorResponse(singleID(msgs), code, err.Error())), nil
	}
	if resp, err := t.refuseCalls(req, msgs, batch); resp != nil || err != nil {
		return resp, err
	}
	out.Header.Set("Content-Type", typeJSON) // no other charset
	out.ContentLength = int64(len(body))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.Body, _ = out.GetBody() // it cannot fail
	return t.filterResponse(t.base.RoundTrip(out))(t.responseFilter(msgs))
}

// responseFilter returns what looks at the answer to messages. Only a list of tools is looked
// into: other answers are passed on as they come, however long they are.
func (t *transport) responseFilter(sent []message) func([]byte) []byte {
	for _, m := range sent {
		if m.method == listTools {
			return t.filterMessages
		}
	}
	return nil
}

// filterResponse returns what has an answer looked at.
func (t *transport) filterResponse(resp *http.Response, err error) func(edit func([]byte) []byte) (*http.Response, error) {
	return func(edit func([]byte) []byte) (*http.Response, error) {
		if err != nil || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		switch mediaType(resp); {
		case mediaType(resp) == typeEvents:
			resp.Body = newStream(resp.Body, t.eventFilter(edit))
		case mediaType(resp) == typeJSON && edit != nil:
			body, err := readAll(resp.Body)
			if err != nil {
				return nil, err
			}
			body = edit(body)
			resp.Body = io.NopCloser(bytes.NewReader(body))
			resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
			resp.ContentLength = int64(len(body))
		}
		return resp, nil
	}
}

// eventFilter returns what looks at each message of a stream: at least whether the server
// says that it has other tools now.
func (t *transport) eventFilter(edit func([]byte) []byte) func([]byte) []byte {
	return func(data []byte) []byte {
		if edit != nil || bytes.Contains(data, []byte("list_changed")) {
			return t.filterMessages(data)
		}
		return data
	}
}

// refuseCalls returns the answer to messages that are not passed on; nil if they may pass.
// Where one of a batch may not, none does.
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
		return respond(req, http.StatusAccepted, nil), nil // notifications have no answer
	case batch:
		return respond(req, http.StatusOK, jsonArray(answers)), nil
	default:
		return respond(req, http.StatusOK, answers[0]), nil
	}
}

// refusalResponses are the answers to messages of which one at least is refused.
func refusalResponses(sent []message, why []string) (answers []json.RawMessage) {
	for i, m := range sent {
		if m.id == nil || m.method == "" {
			continue
		}
		if why[i] == "" {
			why[i] = "not forwarded: another call of the batch is not allowed"
		}
		answers = append(answers, errorResponse(m.id, codeInvalidParams, why[i]))
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

// errorResponse is an error response.
func errorResponse(id json.RawMessage, code int, text string) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	message, _ := json.Marshal(text) // a string always encodes
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%s}}`, id, code, message)
}

// respond returns an answer that no server has sent.
func respond(req *http.Request, code int, body []byte) *http.Response {
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
	if body != nil {
		resp.Header.Set("Content-Type", typeJSON)
	}
	return resp
}

// readAll reads a body to its end and closes it.
func readAll(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxMessage+1))
	if err == nil && len(text) > maxMessage {
		err = errTooLong
	}
	return text, err
}

func mediaType(resp *http.Response) string {
	t, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}
