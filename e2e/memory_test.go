//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// startDecompressionBomb starts an MCP server whose responses, after the sign-in, are a
// few kilobytes that decompress to size bytes.
func startDecompressionBomb(t *testing.T, size int) *demoserver.Server {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(z, `{"jsonrpc":"2.0","id":1,"result":{"x":"`)
	for range size >> 20 {
		z.Write(bytes.Repeat([]byte("x"), 1<<20))
	}
	io.WriteString(z, `"}}`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var demo atomic.Pointer[demoserver.Server]
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mcp" || r.Header.Get("Authorization") == "" {
			demo.Load().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(b.Bytes())
	}))
	t.Cleanup(web.Close)
	s, err := demoserver.New(demoserver.Config{URL: web.URL, AutoApprove: 1, Interval: time.Second, AccessTTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	demo.Store(s)
	return s
}

// peakMemory returns the peak memory of a process, in MiB.
func peakMemory(t *testing.T, cmd *exec.Cmd) int64 {
	t.Helper()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Skip("the system does not report the memory of a process")
	}
	return usage.Maxrss >> 10 // KiB on Linux
}

// TestMemoryOfTestCommand: a 2.4 MB response must not use gigabytes of memory.
func TestMemoryOfTestCommand(t *testing.T) {
	t.Parallel()
	s := startDecompressionBomb(t, 2<<30)
	h := newHome(t)
	h.want(0, "login", "box", s.MCP())
	r := h.start("test", "box")
	if got := r.wait(1); !strings.Contains(got.stderr, "sent more than 16 MiB") || got.stdout != "" {
		t.Errorf("the message is %q", got.stderr)
	}
	if mib := peakMemory(t, r.cmd); mib > 300 {
		t.Errorf("it used %d MiB", mib)
	}
}

// TestMemoryOfTheProxy: 20 long responses at once must not use gigabytes of memory in
// the proxy, which every MCP client of a user runs.
func TestMemoryOfTheProxy(t *testing.T) {
	t.Parallel()
	t.Run("longest", func(t *testing.T) { memoryOfTheProxy(t, 20, 60<<20, 500) })
	t.Run("many", func(t *testing.T) { memoryOfTheProxy(t, 50, 10<<20, 300) })
}

// memoryOfTheProxy makes a server send responses of a size at once.
func memoryOfTheProxy(t *testing.T, requests, size int, limit int64) {
	t.Parallel()
	s := startDecompressionBomb(t, size)
	h := newHome(t)
	h.want(0, "login", "box", s.MCP())
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := h.command(ctx, "proxy", "box")
	var in strings.Builder
	for range requests { // all with the ID of the server's response
		fmt.Fprintln(&in, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	}
	cmd.Stdin = strings.NewReader(in.String())
	var out lineCounter
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		if _, exited := errors.AsType[*exec.ExitError](err); !exited {
			t.Fatal(err)
		}
		t.Error(err)
	}
	if out.lines != requests || out.bytes < requests*size {
		t.Errorf("%d lines of %d bytes were forwarded", out.lines, out.bytes)
	}
	mib := peakMemory(t, cmd)
	t.Logf("%d MiB", mib)
	if mib > limit {
		t.Errorf("it used %d MiB, want at most %d", mib, limit)
	}
}

// lineCounter counts the lines and bytes that are written to it.
type lineCounter struct{ lines, bytes int }

func (l *lineCounter) Write(p []byte) (int, error) {
	l.lines += bytes.Count(p, []byte("\n"))
	l.bytes += len(p)
	return len(p), nil
}
