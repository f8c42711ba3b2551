package agentd

import (
	"fmt"
	"io"
	"net/http"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/privsock"
)

// serveStop stops the agent. The response stays open until the kernel closes the
// connection when this process exits, so that the client can wait for that. (A service
// manager may keep the socket open, and a zombie process keeps its PID.) A limited
// socket may be forwarded to another host, which must not stop the agent.
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
		a.waiting = append(a.waiting, conn) // otherwise the garbage collector would close it
		a.mu.Unlock()
	}
	peer, _ := r.Context().Value(peerKey{}).(privsock.Peer)
	a.log.Info("asked to end", "pid", peer.PID, "exe", peer.Exe, "error", err)
	a.cfg.End()
}
