package proxy_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// parallel is the number of concurrent long responses.
const parallel = 20

// zipped compresses the parts of a text, so that they can be sent one after
// another.
func zipped(t *testing.T, write func(w io.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	write(z)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// longAnswers responds to all requests at the same time with a compressed message
// of size bytes, which is only kilobytes on the network.
func longAnswers(t *testing.T, kind string, size int, wait *sync.WaitGroup) http.HandlerFunc {
	return answersAtOnce(t, kind, wait, `{"x":"`, func(w io.Writer) { filler(w, size) }, `"}}`)
}

// answersAtOnce responds to all requests at the same time with a compressed result
// in three parts. Only the long part between begin and end is compressed in
// advance. end also ends the message.
func answersAtOnce(t *testing.T, kind string, wait *sync.WaitGroup, begin string, long func(w io.Writer), end string) http.HandlerFunc {
	middle := zipped(t, long)
	before, after := "", ""
	if kind == "text/event-stream" {
		before, after = "data: ", "\n\n"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		var m struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&m) // the requests of the proxy itself are valid
		wait.Done()
		wait.Wait()
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(zipped(t, func(w io.Writer) { fmt.Fprintf(w, `%s{"jsonrpc":"2.0","id":%s,"result":%s`, before, m.ID, begin) }))
		w.Write(middle)
		w.Write(zipped(t, func(w io.Writer) { io.WriteString(w, end+after) }))
	}
}

// filler writes size bytes.
func filler(w io.Writer, size int) {
	for range size >> 20 {
		w.Write(bytes.Repeat([]byte("x"), 1<<20))
	}
}

// counter counts lines, which may be written in parts.
type counter struct {
	results, failures atomic.Int64
	inLine            bool // a line
}

func (c *counter) Write(part []byte) (int, error) {
	switch {
	case c.inLine:
	case bytes.Contains(part[:min(len(part), 200)], []byte(`"error"`)):
		c.failures.Add(1)
	default:
		c.results.Add(1)
	}
	c.inLine = !bytes.HasSuffix(part, []byte("\n"))
	return len(part), nil
}

// peak returns the maximum memory in use while do ran, in MiB.
func peak(do func()) uint64 {
	runtime.GC()
	debug.FreeOSMemory()
	var highest atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest.Store(max(highest.Load(), m.HeapInuse))
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	do()
	close(stop)
	<-done
	return highest.Load() >> 20
}

// TestMemoryOfLongAnswers: concurrent long responses share a memory budget. Without
// it, 20 responses of 60 MiB took 2.4 GiB.
func TestMemoryOfLongAnswers(t *testing.T) {
	const limit = 150 // MiB, of which half waits for the garbage collector
	for _, tt := range []struct {
		name, kind string
		size       int
		results    int64
	}{
		{"documents", "application/json", 24 << 20, parallel},
		{"events", "text/event-stream", 24 << 20, parallel},
		{"documents over the limit", "application/json", 32 << 20, 0},
		{"events over the limit", "text/event-stream", 32 << 20, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var wait sync.WaitGroup
			wait.Add(parallel)
			s := newSite(t, longAnswers(t, tt.kind, tt.size, &wait))
			var in strings.Builder
			for i := range parallel {
				in.WriteString(pingWithID(i) + "\n")
			}
			var out counter
			used := peak(func() {
				p := proxy.Stdio{Upstream: s.upstream(t), MaxMessage: 30 << 20, Drain: 5 * time.Minute}
				if err := p.Run(t.Context(), strings.NewReader(in.String()), &out); err != nil {
					t.Error(err)
				}
			})
			t.Logf("%d MiB", used)
			if used > limit {
				t.Errorf("%d MiB were in use, want at most %d", used, limit)
			}
			if out.results.Load() != tt.results || out.failures.Load() != parallel-tt.results {
				t.Errorf("%d responses and %d errors, want %d responses of %d", out.results.Load(), out.failures.Load(), tt.results, parallel)
			}
		})
	}
}

// TestMemoryOfTheHTTPProxy: a response is forwarded while it arrives.
func TestMemoryOfTheHTTPProxy(t *testing.T) {
	var wait sync.WaitGroup
	wait.Add(parallel)
	s := newSite(t, longAnswers(t, "application/json", 24<<20, &wait))
	h, err := proxy.HTTP{Upstream: s.upstream(t)}.Handler()
	if err != nil {
		t.Fatal(err)
	}
	local := httptest.NewServer(h)
	defer local.Close()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	used := peak(func() {
		var work sync.WaitGroup
		for i := range parallel {
			work.Go(func() {
				resp, err := client.Post(local.URL, "application/json", strings.NewReader(pingWithID(i)))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n < 24<<20 {
					t.Errorf("%d bytes, %v", n, err)
				}
			})
		}
		work.Wait()
	})
	t.Logf("%d MiB", used)
	if used > 150 {
		t.Errorf("%d MiB were in use", used)
	}
}

// TestStalledLongAnswers: long responses that never end do not block short ones,
// and a request for another long one ends with an error.
func TestStalledLongAnswers(t *testing.T) {
	const stalling = 8
	var wait sync.WaitGroup
	wait.Add(stalling)
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if methodOf(body) == "ping" {
			io.WriteString(w, pingReply)
			return
		}
		io.WriteString(w, `{"x":"`+strings.Repeat("x", 30<<20))
		w.(http.Flusher).Flush()
		wait.Done()
		<-r.Context().Done()
	}))
	r := start(t, proxy.Stdio{Upstream: s.upstream(t), Drain: time.Millisecond})
	for i := range stalling {
		r.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call"}`, i))
	}
	await.True(t, "the long responses have arrived", func() bool { return len(s.requests(http.MethodPost)) == stalling })
	r.send(t, pingRequest)
	await.True(t, "a short response arrives", func() bool { return strings.Contains(r.output(), pingReply) })
	r.closeInput(t)
	s.CloseClientConnections()
}

// TestAnswersThatGrowWhenRead: parsing the text of a server takes little more
// memory than its length.
func TestAnswersThatGrowWhenRead(t *testing.T) {
	fill := func(before, element, after string) string {
		return before + strings.Repeat(element, (16<<20)/len(element)) + after
	}
	for _, tt := range []struct {
		name, reply string
		passed      bool
	}{
		{"a batch of many", fill(`[`, `{"jsonrpc":"2.0"},`, `{"jsonrpc":"2.0"}]`), false},
		{"an empty batch", fill(`[`, `{},`, `{}]`), false},
		{"a list as id", fill(`{"jsonrpc":"2.0","id":[`, `1,`, `1],"result":{}}`), false}, // the id of no request
		{"many arguments", fill(`{"jsonrpc":"2.0","id":"l","result":{},"params":{"arguments":{`, `"a":1,`, `"b":1}}}`), true},
		{"many tools", fill(`{"jsonrpc":"2.0","id":"l","result":{"tools":[`, `{},`, `{}]}}`), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, respondWith(200, "application/json", tt.reply))
			var out counter
			used := peak(func() {
				err := proxy.Stdio{Upstream: s.upstream(t)}.Run(t.Context(), strings.NewReader(`{"jsonrpc":"2.0","id":"l","method":"tools/list"}`), &out)
				if err != nil {
					t.Error(err)
				}
			})
			t.Logf("%d MiB", used)
			if used > 256 {
				t.Errorf("%d MiB were in use", used)
			}
			if passed := out.results.Load() == 1; passed != tt.passed || !passed && out.failures.Load() != 1 {
				t.Errorf("%d messages and %d errors, want a message: %t", out.results.Load(), out.failures.Load(), tt.passed)
			}
		})
	}
}

// TestBatchOfTheServer: up to a thousand messages are forwarded, one a line.
func TestBatchOfTheServer(t *testing.T) {
	batch := `[` + strings.Repeat(`{"jsonrpc":"2.0","method":"x","params":{"a":"[,]\"{"}},`, 999) + pingReply + `]`
	s := newSite(t, respondWith(200, "application/json", batch))
	if lines := runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, pingRequest); len(lines) != 1000 || lines[999] != pingReply {
		t.Errorf("%d lines", len(lines))
	}
}

// TestMemoryOfFilteredLists: filtered lists of tools use the same memory budget as
// all other responses.
func TestMemoryOfFilteredLists(t *testing.T) {
	const parallel, limit = 6, 200 // MiB, of which one list may take 80: in blocks, and in one piece
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	proxy.BoundMemory() // like the command
	for mode, open := range map[string]func(*testing.T, proxy.Upstream){
		"stdio": func(t *testing.T, up proxy.Upstream) {
			var in strings.Builder
			for i := range parallel {
				in.WriteString(listed(i) + "\n")
			}
			var out counter
			if err := (proxy.Stdio{Upstream: up, Drain: 5 * time.Minute}).Run(t.Context(), strings.NewReader(in.String()), &out); err != nil || out.results.Load() != parallel {
				t.Errorf("%d lists, %v", out.results.Load(), err)
			}
		},
		"http": func(t *testing.T, up proxy.Upstream) {
			h, err := proxy.HTTP{Upstream: up}.Handler()
			if err != nil {
				t.Fatal(err)
			}
			var work sync.WaitGroup
			for i := range parallel {
				work.Go(func() {
					w := httptest.NewRecorder()
					h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(listed(i))))
					if got := w.Body.String(); strings.Count(got, `"name"`) != 1 || !strings.Contains(got, `"add"`) {
						t.Errorf("%d bytes: %.100s", len(got), got)
					}
				})
			}
			work.Wait()
		},
	} {
		for _, kind := range []string{"application/json", "text/event-stream"} {
			t.Run(mode+"/"+kind, func(t *testing.T) {
				var wait sync.WaitGroup
				wait.Add(parallel)
				s := newSite(t, longLists(t, kind, 40<<20, &wait))
				used := peak(func() { open(t, denying(t, s.upstream(t), "h*")) })
				t.Logf("%d MiB", used)
				if used > limit {
					t.Errorf("%d MiB were in use, want at most %d", used, limit)
				}
			})
		}
	}
}

func listed(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`, id)
}

// longLists responds to all requests at the same time with a list of two tools, one
// of them long.
func longLists(t *testing.T, kind string, size int, wait *sync.WaitGroup) http.HandlerFunc {
	return answersAtOnce(t, kind, wait, `{"tools":[`, func(w io.Writer) {
		io.WriteString(w, `{"name":"hang","description":"`)
		filler(w, size)
		io.WriteString(w, `"},{"name":"add"}`)
	}, `]}}`)
}
