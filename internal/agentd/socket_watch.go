package agentd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// watchSocket logs when a socket's file is removed or replaced, until ctx ends.
// Clients can then no longer connect, which would otherwise go unnoticed.
func (a *Agent) watchSocket(ctx context.Context, s Socket) {
	if s.Path == "" {
		return
	}
	log := a.log.With("socket", s.name(), "path", s.Path)
	made, err := os.Lstat(s.Path)
	if err != nil {
		log.Error("cannot read the socket file", "error", err)
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for lost := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := socketFault(made, s.Path)
		if now != lost && now != "" {
			log.Error(now + ": clients can no longer connect; restart the agent")
		}
		lost = now
	}
}

// socketFault describes the problem with a socket's file; "" if none.
func socketFault(made fs.FileInfo, path string) string {
	now, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the socket file was removed"
	case err != nil:
		return "cannot read the socket file: " + err.Error()
	case !privsock.Same(made, now):
		return "the socket was replaced by another file"
	}
	return ""
}
