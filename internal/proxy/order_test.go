package proxy_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// forever is a drain time that no test reaches: a run that waits for its server
// times out first.
const forever = time.Hour

// run is a running bridge.
type run struct {
	in    *io.PipeWriter
	ended chan error

	mu  sync.Mutex // guards out
	out bytes.Buffer
}

func (r *run) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

// output returns the output so far.
func (r *run) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// start starts a bridge. Its default drain time is forever.
func start(t *testing.T, p proxy.Stdio) *run {
	t.Helper()
	p.Drain = cmp.Or(p.Drain, forever)
	in, feed := io.Pipe()
	r := &run{in: feed, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() { r.ended <- p.Run(ctx, in, r) }()
	return r
}

// send writes lines. The bridge must read them without waiting for the server.
func (r *run) send(t *testing.T, lines ...string) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.WriteString(r.in, strings.Join(lines, "\n")+"\n") // the run may have ended
	}()
	await.Receive(t, "the bridge reads the input", done)
}

// closeInput closes the input and waits for the end of the run.
func (r *run) closeInput(t *testing.T) {
	t.Helper()
	r.in.Close()
	if err := await.Receive(t, "the end of the input is noticed", r.ended); err != nil {
		t.Errorf("Run = %v", err)
	}
}

func pingWithID(id int) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ping"}`, id) }

func cancellation(id string) string {
	return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`
}

// hangingNetwork is a network on which every connection attempt hangs until it is
// canceled.
type hangingNetwork struct {
	dials  chan struct{}
	giveUp chan struct{}
}

func newHangingNetwork(t *testing.T) (*hangingNetwork, proxy.Upstream) {
	d := &hangingNetwork{make(chan struct{}, 99), make(chan struct{})}
	s := newSite(t, nil)
	up := s.upstream(t)
	up.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		d.dials <- struct{}{}
		<-d.giveUp
		return nil, errors.New("nobody answers")
	}}
	return d, up
}

// TestHangingConnections: requests wait for a connection concurrently, a request
// that is canceled meanwhile has no response, and the end of the input is noticed.
func TestHangingConnections(t *testing.T) {
	t.Parallel()
	d, up := newHangingNetwork(t)
	r := start(t, proxy.Stdio{Upstream: up})
	r.send(t, pingWithID(1), pingWithID(2), pingWithID(3), pingWithID(4))
	for range 4 {
		await.Receive(t, "connection for each request", d.dials)
	}
	r.send(t, cancellation("1"), pingWithID(5))
	await.Receive(t, "connection for the request after the cancellation", d.dials)
	r.in.Close()
	close(d.giveUp)
	r.closeInput(t)
	got := r.output()
	for id, want := range []int{1: 0, 2: 1, 3: 1, 4: 1, 5: 1} {
		if n := strings.Count(got, fmt.Sprintf(`"id":%d,"error"`, id)); n != want {
			t.Errorf("request %d has %d responses, want %d:\n%s", id, n, want, got)
		}
	}
}

// TestCancelBeforeSending: a request that is canceled before it was sent does not
// keep the run from ending.
func TestCancelBeforeSending(t *testing.T) {
	t.Parallel()
	d, up := newHangingNetwork(t)
	defer close(d.giveUp)
	r := start(t, proxy.Stdio{Upstream: up})
	r.send(t, pingWithID(1), cancellation("1"))
	r.closeInput(t)
	if got := r.output(); got != "" {
		t.Errorf("output: %s", got)
	}
}

// TestEndWithHangingConnections: requests in flight have a time limit when the
// input ends.
func TestEndWithHangingConnections(t *testing.T) {
	t.Parallel()
	d, up := newHangingNetwork(t)
	defer close(d.giveUp)
	r := start(t, proxy.Stdio{Upstream: up, Drain: 50 * time.Millisecond})
	r.send(t, initializeRequest, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, pingWithID(1), pingWithID(2))
	r.closeInput(t)
}

// recordingServer is a server with sessions that records incoming and outgoing
// messages.
type recordingServer struct {
	slow map[string]time.Duration // delay of the response, by method

	mu    sync.Mutex // guards lines
	lines []string
}

func (d *recordingServer) record(format string, a ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, a...))
}

func (d *recordingServer) read() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, ", ")
}

func methodOf(body []byte) string {
	_, after, _ := bytes.Cut(body, []byte(`"method":"`))
	name, _, _ := bytes.Cut(after, []byte(`"`))
	return string(name)
}

func (d *recordingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, _ := io.ReadAll(r.Body)
	method := methodOf(body)
	d.record("%s in %q", method, r.Header.Get("Mcp-Session-Id"))
	time.Sleep(d.slow[method])
	d.record("%s done", method)
	w.Header().Set("Content-Type", "application/json")
	switch method {
	case "initialize":
		w.Header().Set("Mcp-Session-Id", "s1")
		io.WriteString(w, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}`)
	case "ping":
		io.WriteString(w, pingReply)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// TestPipelinedHandshake: a client that does not wait for the response to
// initialize gets the same result.
func TestPipelinedHandshake(t *testing.T) {
	t.Parallel()
	d := &recordingServer{slow: map[string]time.Duration{"initialize": 300 * time.Millisecond, "notifications/initialized": 300 * time.Millisecond}}
	s := newSite(t, d)
	synctest.Test(t, func(t *testing.T) { // virtual time: a message waits at most 5 s for the previous one
		r := start(t, proxy.Stdio{Upstream: s.inMemory(t)})
		r.send(t, initializeRequest, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, pingRequest)
		r.closeInput(t)
		want := `initialize in "", initialize done, notifications/initialized in "s1", notifications/initialized done, ping in "s1", ping done`
		if got := d.read(); got != want {
			t.Errorf("the server received\n%s, want\n%s", got, want)
		}
		if got := r.output(); !strings.HasSuffix(got, "\n"+pingReply+"\n") {
			t.Errorf("the client received %s", got)
		}
	})
}

// TestNotificationsKeepTheirOrder: the server accepts each notification before the next
// one, or a following request, is sent.
func TestNotificationsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	d := &recordingServer{slow: map[string]time.Duration{"a": 200 * time.Millisecond, "b": 100 * time.Millisecond}}
	s := newSite(t, d)
	synctest.Test(t, func(t *testing.T) { // virtual time: a message waits at most 5 s for the previous one
		r := start(t, proxy.Stdio{Upstream: s.inMemory(t)})
		r.send(t, `{"jsonrpc":"2.0","method":"a"}`, `{"jsonrpc":"2.0","method":"b"}`, pingRequest)
		r.closeInput(t)
		if got, want := d.read(), `a in "", a done, b in "", b done, ping in "", ping done`; got != want {
			t.Errorf("the server received %s, want %s", got, want)
		}
	})
}

// TestStuckNotification: a notification that the server does not accept delays others
// only for a limited time.
func TestStuckNotification(t *testing.T) {
	t.Parallel()
	blocked := make(chan struct{})
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if methodOf(body) == "stuck" {
			<-blocked
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, pingReply)
	}))
	defer close(blocked)
	r := start(t, proxy.Stdio{Upstream: s.upstream(t), Drain: 50 * time.Millisecond})
	r.send(t, `{"jsonrpc":"2.0","method":"stuck"}`, pingRequest)
	await.True(t, "ping has a response", func() bool { return strings.Contains(r.output(), pingReply) })
	r.closeInput(t)
}

// TestCancelled: in a session the server is notified of the cancellation, after the
// request; its late response is not forwarded.
func TestCancelled(t *testing.T) {
	t.Parallel()
	notified := make(chan struct{})
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if methodOf(body) != "ping" {
			close(notified)
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-notified
		io.WriteString(w, "data: "+pingReply+"\n\n")
	}))
	r := start(t, proxy.Stdio{Upstream: s.upstream(t)})
	r.send(t, pingRequest)
	await.True(t, "the server received the request", func() bool { return len(s.requests(http.MethodPost)) == 1 })
	r.send(t, cancellation(`"p"`))
	await.Receive(t, "cancellation at the server", notified)
	r.closeInput(t)
	if got := r.output(); got != "" {
		t.Errorf("a canceled request has a response: %s", got)
	}
}

// TestOneResponse: a request has exactly one response, whatever the server sends.
func TestOneResponse(t *testing.T) {
	for name, body := range map[string]string{
		"twice":                  "data: " + pingReply + "\n\ndata: " + pingReply + "\n\n",
		"twice in a row":         "data: [" + pingReply + "," + pingReply + "]\n\n",
		"and an error":           "data: [" + pingReply + `,{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"no"}}]` + "\n\n",
		"and an unknown message": "data: " + pingReply + "\n\ndata: junk\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, respondWith(200, "text/event-stream", body))
			wantOneLine(t, runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, pingRequest), pingReply)
		})
	}
}

// TestManyConcurrentRequests: all requests get responses, though only a limited
// number is sent at the same time.
func TestManyConcurrentRequests(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now, highest := 0, 0
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		highest = max(highest, now)
		mu.Unlock()
		time.Sleep(200 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"no"}}`)
	}))
	var in strings.Builder
	for id := range 600 {
		fmt.Fprintln(&in, pingWithID(id))
	}
	if got := runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, in.String()); len(got) != 600 {
		t.Errorf("%d responses", len(got))
	}
	if highest > 256 {
		t.Errorf("%d concurrent requests", highest)
	}
}
