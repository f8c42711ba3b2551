package sshbrowser

import (
	"sync"
	"time"
)

const (
	maxRequests    = 10 // in a minute; the user starts fewer
	maxConnections = 16 // at once
)

// limit counts the requests of the last minute.
type limit struct {
	mu    sync.Mutex
	times []time.Time
}

func (l *limit) allow() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for len(l.times) > 0 && now.Sub(l.times[0]) >= time.Minute {
		l.times = l.times[1:]
	}
	if len(l.times) >= maxRequests {
		return false
	}
	l.times = append(l.times, now)
	return true
}
