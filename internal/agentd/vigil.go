package agentd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// vigil says in the log when a socket's file has gone or another's is in its
// place, until ctx ends: nobody reaches the agent by it then, and nothing else
// would tell.
func (a *Agent) vigil(ctx context.Context, s Socket) {
	if s.Path == "" {
		return
	}
	log := a.log.With("socket", s.name(), "path", s.Path)
	made, err := os.Lstat(s.Path)
	if err != nil {
		log.Error("the socket's file cannot be looked at", "error", err)
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
		now := fate(made, s.Path)
		if now != lost && now != "" {
			log.Error(now + ": nobody reaches this agent by it; start the agent anew")
		}
		lost = now
	}
}

// fate tells what became of a socket's file, "" if it is there.
func fate(made fs.FileInfo, path string) string {
	now, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the socket's file is gone"
	case err != nil:
		return "the socket's file cannot be looked at: " + err.Error()
	case !privsock.Same(made, now):
		return "another file has taken the place of the socket"
	}
	return ""
}
