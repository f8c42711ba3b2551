//go:build e2e

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// BenchmarkStart compares the start of the program with that of a Go hello world, in
// turns, so that a busy machine slows both. The goal is a ratio of at most 3 and a peak
// of at most 14 MiB. The server has stopped by then, because env sends no request.
func BenchmarkStart(b *testing.B) {
	hello := install(b, buildTestdata(b, "hello"))
	h := storedHome(b)
	h.program = install(b, program)
	b.Run("env", func(b *testing.B) {
		h.compareWithHello(b, hello, "env", "box")
		b.ReportMetric(h.peak(b, "env", "box"), "peak-MiB")
	})
	b.Run("list10000", func(b *testing.B) {
		h.fillStore(b, 10_000)
		h.compareWithHello(b, hello, "list")
	})
}

// install returns a copy of a program, as cp makes it. The linker writes its output
// through a memory map, which leaves it in the page cache in small pieces: a start from
// there takes up to 0.4 ms longer, and less evenly so.
func install(b *testing.B, program string) string {
	b.Helper()
	in, err := os.Open(program)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	path := filepath.Join(b.TempDir(), filepath.Base(program))
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

// compareWithHello runs the program and hello in turns and reports medians.
func (h *home) compareWithHello(b *testing.B, hello string, args ...string) {
	b.Helper()
	var programTimes, helloTimes []time.Duration
	for b.Loop() {
		helloTimes = append(helloTimes, timeToRun(b, exec.Command(hello)))
		programTimes = append(programTimes, timeToRun(b, h.command(b.Context(), args...)))
	}
	own, other := median(programTimes), median(helloTimes)
	b.ReportMetric(0, "ns/op") // the time of both together is meaningless
	b.ReportMetric(own.Seconds()*1000, "ms")
	b.ReportMetric(other.Seconds()*1000, "hello-ms")
	b.ReportMetric(own.Seconds()/other.Seconds(), "x-hello")
}

func timeToRun(b *testing.B, cmd *exec.Cmd) time.Duration {
	b.Helper()
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatal(cmd, err)
	}
	return time.Since(begin)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// peak returns the peak memory of a run of the program, in MiB.
func (h *home) peak(b *testing.B, args ...string) float64 {
	b.Helper()
	cmd := exec.Command(buildTestdata(b, "peak"), append([]string{cmp.Or(h.program, program)}, args...)...)
	cmd.Env = h.env
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}

// storedHome returns a home with a credential.
func storedHome(b *testing.B) *home {
	b.Helper()
	h := newHome(b)
	h.loginToDemo(b)
	return h
}

// loginToDemo signs in to a demo server that approves by itself.
func (h *home) loginToDemo(b *testing.B) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	demo, err := demoserver.New(demoserver.Config{
		URL: "http://" + ln.Addr().String(), AccessTTL: time.Hour, Interval: time.Second, AutoApprove: 1,
	})
	if err != nil {
		b.Fatal(err)
	}
	web := &http.Server{Handler: demo}
	go func() { _ = web.Serve(ln) }() // until Close
	defer func() { _ = web.Close() }()
	h.want(0, "login", "box", demo.MCP())
}

// fillStore adds n records to the real one. A list does not open them, so they can be
// empty.
func (h *home) fillStore(b *testing.B, n int) {
	b.Helper()
	records, err := filepath.Glob(filepath.Join(h.dir, "data", "mcp-login", "*box*"))
	if err != nil || len(records) != 1 {
		b.Fatalf("records of the profile: %q, %v", records, err)
	}
	dir, name := filepath.Split(records[0])
	for i := range n - 1 {
		path := filepath.Join(dir, strings.Replace(name, "box", fmt.Sprintf("profile%d", i), 1))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if got := strings.Count(h.want(0, "list").stdout, "\n"); got != n {
		b.Fatalf("list names %d profiles, want %d", got, n)
	}
}

// buildTestdata builds a program of testdata.
func buildTestdata(b *testing.B, name string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	cmd := exec.Command("go", "build", "-o", path, "./testdata/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}
