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
	// maxReplay is how long a request may be to be sent again after a 401.
	maxReplay = 4 << 20
	// rejectedReadTimeout is how long who is turned away may go on with its request.
	rejectedReadTimeout = time.Second
)

// HTTP is an MCP server on a URL of this machine, in front of one that wants a
// token. It passes on requests and streams as they are, but for the headers
// that name the client.
type HTTP struct {
	Upstream
	// Token must come with every request: as a bearer token or, for a client
	// that can be given nothing but a URL, as the first element of the path.
	// Then the Host header must name a loopback address too, and Origin, where
	// there is one, the same: a web page that has its server's name
	// resolve to this machine is turned away.
	//
	// "" serves every client that can connect: right behind a Unix socket, whose mode
	// says who that is.
	Token string
	// Admitted hears of each request that comes in with the token, before it
	// is passed on; nil means nobody does. It is for those who bound the
	// connections on which none came yet.
	Authenticated func(*http.Request)

	lifetime context.Context // of Serve; nil: of no end
}

// Handler returns the handler. Whatever the path, it stands for the one server.
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

// middleware lets through who may use the token.
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
		w.Header().Set("WWW-Authenticate", "Bearer") // the proxy's own token: no metadata leads to it
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

// reject answers who may not come in, and ends the connection: nobody can
// keep one open, nor a request on it, without the token.
func reject(w http.ResponseWriter, text string, code int) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(rejectedReadTimeout)) // not every writer has a connection
	w.Header().Set("Connection", "close")
	http.Error(w, text, code)
}

// finalWriter keeps back what a server says before its answer (1xx): it would pass
// by the look at the answer's headers, and MCP knows no such thing.
type finalWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (f finalWriter) WriteHeader(code int) {
	if code >= http.StatusOK {
		f.ResponseWriter.WriteHeader(code)
	}
}

// Unwrap lets an http.ResponseController through.
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

// isSameOrigin reports whether a request comes from no web page but one of this
// very address.
func isSameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && netcheck.SameOrigin(u, &url.URL{Scheme: "http", Host: r.Host})
}

// bodyKey carries the messages of a request to where it may have to be answered.
type bodyKey struct{}

// body is what a client sent: one message, or a batch of them.
type body struct {
	messages []message
	isBatch  bool
}

// bodyOf returns what was sent with a request; nothing if it is not known.
func bodyOf(ctx context.Context) body {
	b, _ := ctx.Value(bodyKey{}).(body)
	return b
}

// messageOf returns the message that was sent with a request; one without a text if it is
// not known, or a batch.
func messageOf(ctx context.Context) message {
	if b := bodyOf(ctx); !b.isBatch && len(b.messages) == 1 {
		return b.messages[0]
	}
	return message{}
}

// forward sends a request on, in a form that can be sent again.
func (g *middleware) forward(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(g.budget.WithAccount(r.Context()))
	head, err := io.ReadAll(io.LimitReader(r.Body, maxReplay+1))
	if err != nil {
		http.Error(w, "the request could not be read", http.StatusBadRequest)
		return
	}
	if len(head) > maxReplay {
		// The server may answer before it has the whole request, the rest of which
		// net/http would drop then. Not every writer has a connection.
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

// rewriteRequest makes a request one to the server, of nobody in particular. Some gateways read
// an underscore in a header's name as a hyphen, and would take such a header for one that
// this program sets.
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

// removeCredentials takes from an answer how to get a token, which is not the client's
// concern, and cookies.
func removeCredentials(resp *http.Response) error {
	resp.Header.Del("WWW-Authenticate")
	resp.Header.Del("Set-Cookie")
	return nil
}

// refusalTransport looks at the server's answers before the client does: what is for this
// program to deal with is an error.
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

// writeError answers a request that did not get through: by a JSON-RPC error, which
// every client shows, where the request's id is known.
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
