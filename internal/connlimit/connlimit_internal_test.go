package connlimit

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// TestLimit: new unauthenticated connections close older ones, but none that is
// authenticated.
func TestLimit(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := &Listener{Listener: ln, Limit: 8}
	began, end := make(chan struct{}), make(chan struct{})
	web := limited.Server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limited.Authenticated(r)
		began <- struct{}{}
		<-end
	}), slog.New(slog.DiscardHandler))
	if web.IdleTimeout <= 0 || web.ReadHeaderTimeout <= 0 {
		t.Error("an idle connection has no timeout")
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(limited) }()
	defer func() {
		_ = web.Close()
		<-served
	}()
	answers := make(chan error, 1)
	go func() {
		resp, err := http.Get("http://" + ln.Addr().String())
		if err == nil {
			resp.Body.Close()
		}
		answers <- err
	}()
	<-began
	var idle []net.Conn
	for range 50 {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	for _, conn := range idle[:42] {
		if err := conn.SetReadDeadline(time.Now().Add(await.Limit)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Fatalf("an old idle connection: %v", err)
		}
	}
	close(end)
	if err := <-answers; err != nil {
		t.Errorf("an authenticated connection was closed: %v", err)
	}
	limited.mu.Lock()
	defer limited.mu.Unlock()
	if n := len(limited.unauthenticated); n > 8 {
		t.Errorf("%d unauthenticated connections are kept", n)
	}
}
