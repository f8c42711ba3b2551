package agentd

import (
	"fmt"
	"io"
	"net/http"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/privsock"
)

// serveStop ends the agent. The answer has no end: the kernel closes the connection
// when this process has ended, so that the client knows when that is. A service
// manager may keep the socket, and a process that nobody waits for keeps its number. A
// limited socket can lead to another host, which must not end the agent.
func (h handler) serveStop(w http.ResponseWriter, r *http.Request) {
	a := h.agent
	if h.socket.Allow != nil || a.cfg.End == nil {
		writeError(w, fmt.Errorf("%w: this socket does not end the agent", agent.ErrDenied))
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
		a.mu.Lock()
		a.waiting = append(a.waiting, conn) // the collector of garbage would close it
		a.mu.Unlock()
	}
	peer, _ := r.Context().Value(peerKey{}).(privsock.Peer)
	a.log.Info("asked to end", "pid", peer.PID, "exe", peer.Exe, "error", err)
	a.cfg.End()
}
