package mcpprobe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// The methods of a client that lists and calls tools.
const (
	discover    = "server/discover"
	initialize  = "initialize"
	initialized = "notifications/initialized"
	listTools   = "tools/list"
	callTool    = "tools/call"
	ping        = "ping"
)

// closeTimeout limits the request that ends a session at the server.
const closeTimeout = 2 * time.Second

// client is a connection to an MCP server over Streamable HTTP. It makes one request
// at a time.
type client struct {
	server string
	http   *http.Client
	self   implementation

	version string // of the protocol; "": none was agreed on yet
	session string // "": the server has none
	last    int    // id of a request
	bound   map[string][]mcpwire.Binding
}

// implementation identifies a client or a server.
type implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// params are the parameters of a request.
type params map[string]any

// request sends a request and returns its answer, which has a result.
func (c *client) request(ctx context.Context, method string, p params) (message, error) {
	c.last++
	id := json.RawMessage(strconv.Itoa(c.last))
	if c.stateless() {
		p = maps.Clone(p)
		p["_meta"] = c.meta()
	}
	resp, err := c.post(ctx, mcpwire.Request(id, method, p), c.repeated(method, p))
	if err != nil {
		return message{}, err
	}
	defer resp.Body.Close()
	if err := refused(resp); err != nil {
		return message{}, err
	}
	if method == initialize {
		c.session = resp.Header.Get(mcpwire.HeaderSession)
	}
	m, err := c.answer(ctx, resp, id)
	if err == nil && m.Error != nil {
		err = m.Error.of(resp)
	}
	return m, err
}

// stateless reports whether each request says what an initialize would.
func (c *client) stateless() bool { return c.version >= mcpwire.Stateless }

// meta is what each request of the stateless protocol says (SEP-2575).
func (c *client) meta() map[string]any {
	return map[string]any{
		"io.modelcontextprotocol/protocolVersion":    c.version,
		"io.modelcontextprotocol/clientInfo":         c.self,
		"io.modelcontextprotocol/clientCapabilities": struct{}{},
	}
}

// repeated returns what headers repeat of a request.
func (c *client) repeated(method string, p params) mcpwire.Repeated {
	r := mcpwire.Repeated{Method: method}
	if args, ok := p["arguments"].(json.RawMessage); ok {
		r.Name, _ = p["name"].(string)
		r.Bindings = c.bound[r.Name]
		_ = json.Unmarshal(args, &r.Arguments) // the caller checked that it is an object
	}
	return r
}

// notify sends a notification.
func (c *client) notify(ctx context.Context, method string) error {
	resp, err := c.post(ctx, mcpwire.Request(nil, method, nil), mcpwire.Repeated{Method: method})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return refused(resp)
}

// reply answers a request of the server. This client answers a ping and offers nothing else.
func (c *client) reply(ctx context.Context, m message) error {
	text := mcpwire.Failure(m.ID, mcpwire.CodeMethod, "Method not found")
	if m.Method == ping {
		text = mcpwire.Result(m.ID, struct{}{})
	}
	resp, err := c.post(ctx, text, mcpwire.Repeated{})
	if err != nil {
		return err
	}
	return resp.Body.Close() // the response does not matter
}

// post sends a message.
func (c *client) post(ctx context.Context, text []byte, r mcpwire.Repeated) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mcpwire.TypeJSON)
	req.Header.Set("Accept", mcpwire.TypeJSON+", "+mcpwire.TypeEvents)
	if c.stateless() {
		r.SetOn(req.Header)
	}
	return c.send(req)
}

// send sends a request with the headers that all have.
func (c *client) send(req *http.Request) (*http.Response, error) {
	if c.version != "" {
		req.Header.Set(mcpwire.HeaderVersion, c.version)
	}
	if c.session != "" {
		req.Header.Set(mcpwire.HeaderSession, c.session)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, errors.Unwrap(err) // a *url.Error, also around an error of the session
	}
	return resp, nil
}

// close ends the session at the server, which need not allow that (405). It is best
// effort: the server forgets the session in any case, sooner or later.
func (c *client) close(ctx context.Context) {
	if c.session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.server, nil)
	if err != nil {
		return
	}
	if resp, err := c.send(req); err == nil {
		resp.Body.Close()
	}
	c.session = ""
}
