package httpsse

import "io"

// stream is a body that is written while it is read.
type stream struct {
	s          *session
	stop       func() bool // stops watching the request's context; nil if nothing does
	unanswered int         // requests without a response
	parts      []*part
	size       int
	closed     bool  // nothing is added any longer
	err        error // after the last part; nil means io.EOF
}

// newStream requires s.mu, or that nobody else uses s.
func (s *session) newStream() *stream {
	s.changed.L = &s.mu
	return &stream{s: s}
}

func (b *stream) add(p *part) {
	b.parts = append(b.parts, p)
	b.size += p.size
	b.s.buffered += p.size
}

// dropOldest removes the oldest part.
func (b *stream) dropOldest() {
	p := b.parts[0]
	b.parts[0], b.parts = nil, b.parts[1:]
	b.count(p, p.size)
	p.free()
}

// count notes that n bytes of a part are no longer kept.
func (b *stream) count(p *part, n int) {
	p.size -= n
	b.size -= n
	b.s.buffered -= n
}

// Read implements io.Reader.
func (b *stream) Read(p []byte) (n int, err error) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for len(b.parts) == 0 && !b.closed {
		b.s.changed.Wait()
	}
	if len(b.parts) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		return 0, io.EOF
	}
	n, err = b.parts[0].Read(p)
	b.count(b.parts[0], n)
	if b.parts[0].size == 0 || err != nil {
		b.dropOldest()
	}
	b.s.changed.Broadcast()
	return n, nil // a part has no other error than its end
}

// Close implements io.Closer.
func (b *stream) Close() error {
	if b.stop != nil {
		b.stop()
	}
	b.s.closeStream(b, io.ErrClosedPipe)
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for len(b.parts) > 0 {
		b.dropOldest()
	}
	return nil
}

// listener reads the server's own messages until it is closed. The session and its stream
// continue.
type listener struct {
	*stream
	stop     func() bool
	detached bool
}

// Read implements io.Reader.
func (l *listener) Read(p []byte) (int, error) {
	l.s.mu.Lock()
	for len(l.parts) == 0 && !l.closed && !l.detached {
		l.s.changed.Wait()
	}
	closed := l.detached
	l.s.mu.Unlock()
	if closed {
		return 0, io.ErrClosedPipe
	}
	return l.stream.Read(p)
}

// Close implements io.Closer.
func (l *listener) Close() error {
	if l.stop != nil {
		l.stop()
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if !l.detached {
		l.detached, l.s.hasListener = true, false
		l.s.changed.Broadcast()
	}
	return nil
}
