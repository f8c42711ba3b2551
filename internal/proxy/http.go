package proxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

const (
	// maxReplay is the maximum size of a request that can be sent again after a 401.
	maxReplay = 4 << 20
	// rejectedReadTimeout is how long a rejected client may continue to send its request.
	rejectedReadTimeout = time.Second
)

// HTTP is an MCP server on a URL of this machine, in front of one that requires a token. It
// forwards requests and streams unchanged, except for headers that identify the client.
type HTTP struct {
	Upstream
	// Token must come with every request: as a bearer token or, for a client that can be
	// configured only with a URL, as the first element of the path. The Host header must
	// then name a loopback address, and so must Origin if there is one. This keeps out web
	// pages whose server's name resolves to this machine.
	//
	// "" serves every client that can connect. Use it behind a Unix socket, whose mode says
	// who can.
	Token string
	// Authenticated is called for each request that comes with the token, before the request
	// is forwarded; nil means no call. It is for limiting connections that have not sent the
	// token.
	Authenticated func(*http.Request)

	lifetime context.Context // of Serve; nil means that it never ends
}

// Handler returns the handler. Every path leads to the one server.
func (h HTTP) Handler() (http.Handler, error) {
	target, err := url.Parse(h.Server)
	if err != nil {
		return nil, err
	}
	var transport http.RoundTripper = refusalTransport{h.Upstream, h.authorized(h.transport())}
	if h.SignIn != nil {
		lifetime := h.lifetime
		if lifetime == nil {
			lifetime = context.Background()
		}
		transport = &signInTransport{Upstream: h.Upstream, base: transport, lifetime: lifetime, recordings: make(chan struct{}, maxRecordings)}
	}
	return &middleware{HTTP: h, budget: buffer.NewBudget(), proxy: &httputil.ReverseProxy{
		Transport:      transport,
		FlushInterval:  -1,
		ErrorLog:       slog.NewLogLogger(h.log().Handler(), slog.LevelDebug),
		Rewrite:        func(r *httputil.ProxyRequest) { rewriteRequest(r.Out, target) },
		ModifyResponse: removeCredentials,
		ErrorHandler:   h.writeError,
	}}, nil
}

// middleware admits the clients that may use the token.
type middleware struct {
	HTTP
	budget *buffer.Budget
	proxy  http.Handler
}

// ServeHTTP implements http.Handler.
func (g *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case g.Token != "" && !(netcheck.IsLoopback(r.Host) && isSameOrigin(r)):
		reject(w, "only requests from this machine are accepted, and none from web pages", http.StatusForbidden)
	case g.Token != "" && !g.isAuthorized(r):
		w.Header().Set("WWW-Authenticate", "Bearer") // no resource metadata, because this is the proxy's own token
		reject(w, "the proxy's token is missing or wrong", http.StatusUnauthorized)
	case r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodDelete:
		w.Header().Set("Allow", "POST, GET, DELETE")
		http.Error(w, "POST, GET or DELETE", http.StatusMethodNotAllowed)
	default:
		if g.Authenticated != nil {
			g.Authenticated(r)
		}
		g.forward(finalWriter{w}, r)
	}
}

// reject answers a client that may not connect and closes the connection, so that nobody
// without the token can keep one open.
func reject(w http.ResponseWriter, text string, code int) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(rejectedReadTimeout)) // not every writer has a connection
	w.Header().Set("Connection", "close")
	http.Error(w, text, code)
}

// finalWriter drops informational responses (1xx): their headers would not be checked, and
// MCP does not use them.
type finalWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (f finalWriter) WriteHeader(code int) {
	if code >= http.StatusOK {
		f.ResponseWriter.WriteHeader(code)
	}
}

// Unwrap implements http.ResponseController's access to the connection.
func (f finalWriter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// isAuthorized compares the token in constant time.
func (h HTTP) isAuthorized(r *http.Request) bool {
	_, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	element, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return equalTokens(bearer, h.Token) || equalTokens(element, h.Token)
}

func equalTokens(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// isSameOrigin reports whether a request comes from no web page, or from one of this
// address.
func isSameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && netcheck.SameOrigin(u, &url.URL{Scheme: "http", Host: r.Host})
}

// bodyKey is the context key for the messages of a request.
type bodyKey struct{}

// body is what a client sent: one message, or a batch of them.
type body struct {
	messages []message
	isBatch  bool
}

// bodyOf returns what was sent with a request; the zero value if it is not known.
func bodyOf(ctx context.Context) body {
	b, _ := ctx.Value(bodyKey{}).(body)
	return b
}

// messageOf returns the message that was sent with a request. It has no text if it is not
// known, or if a batch was sent.
func messageOf(ctx context.Context) message {
	if b := bodyOf(ctx); !b.isBatch && len(b.messages) == 1 {
		return b.messages[0]
	}
	return message{}
}

// forward forwards a request in a form that can be sent again.
func (g *middleware) forward(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(g.budget.WithAccount(r.Context()))
	head, err := io.ReadAll(io.LimitReader(r.Body, maxReplay+1))
	if err != nil {
		http.Error(w, "the request could not be read", http.StatusBadRequest)
		return
	}
	if len(head) > maxReplay {
		// The server may answer before it has read the whole request, and net/http would then
		// drop the rest. Not every writer has a connection.
		_ = http.NewResponseController(w).EnableFullDuplex()
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
		g.proxy.ServeHTTP(w, r)
		return
	}
	if all, err := parseMessages(head); err == nil {
		sent := body{all, bytes.HasPrefix(bytes.TrimSpace(head), []byte("["))}
		if !sent.isBatch {
			if all[0] = all[0].extractInput(); all[0].input.state != "" {
				head = all[0].text
			}
		}
		r = r.WithContext(context.WithValue(r.Context(), bodyKey{}, sent))
	}
	r.Body = io.NopCloser(bytes.NewReader(head))
	r.ContentLength = int64(len(head))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(head)), nil }
	g.proxy.ServeHTTP(w, r)
}

// rewriteRequest addresses a request to the server and removes what identifies the client.
// Some gateways read an underscore in a header's name as a hyphen, and would take such a
// header for one that this program sets.
func rewriteRequest(out *http.Request, target *url.URL) {
	url := *target
	out.URL, out.Host, out.Trailer = &url, "", nil
	for name := range out.Header {
		switch {
		case strings.HasPrefix(name, "Sec-"), strings.HasPrefix(name, "X-Forwarded-"), strings.Contains(name, "_"):
			delete(out.Header, name)
		}
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Dpop", "Cookie", "Origin", "Referer", "Forwarded", "Connection", "Upgrade"} {
		out.Header.Del(name)
	}
}

// removeCredentials removes cookies from a response, and how to get a token, which is not
// the client's concern.
func removeCredentials(resp *http.Response) error {
	resp.Header.Del("WWW-Authenticate")
	resp.Header.Del("Set-Cookie")
	return nil
}

// refusalTransport turns the responses that this program must handle into errors, before
// the client sees them.
type refusalTransport struct {
	Upstream
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c refusalTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := c.refusal(resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// writeError answers a request that was not forwarded: with a JSON-RPC error, which every
// client shows, if the request's id is known.
func (h HTTP) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) {
		return // the client is gone
	}
	h.log().Warn("request not forwarded", "error", err)
	var errs []json.RawMessage
	sent := bodyOf(r.Context())
	for _, m := range sent.messages {
		if m.isRequest() {
			errs = append(errs, mcpwire.Failure(m.ID, codeUpstream, h.explain(err)))
		}
	}
	if len(errs) == 0 {
		http.Error(w, h.explain(err), http.StatusBadGateway)
		return
	}
	text := []byte(errs[0])
	if sent.isBatch {
		text = mcpwire.Encode(errs)
	}
	w.Header().Set("Content-Type", mcpwire.TypeJSON)
	_, _ = w.Write(text) // a client that is gone needs none
}
