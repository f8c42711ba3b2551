package proxy

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/eventstream"
)

const (
	// ownMemory is what each message may use without asking: short answers never
	// wait for long ones.
	ownMemory = 64 << 10
	// sharedMemory is what all messages that are longer share. One more message
	// may be of any length up to the limit, so that there is always one that can
	// be read to its end.
	sharedMemory = 32 << 20
	// aloneStep is how long that one may be before it gets all of its room.
	aloneStep = 16 << 20
	// stalled is how long a long message waits for others that do not end.
	stalled = 2 * time.Minute
)

// errMemory is a long answer among too many others.
var errMemory = errors.New("too many long answers at once, and none of them finishes")

// memory bounds what messages of the server take while they are read. Without
// it a server could fill the memory with as many long answers as there are
// requests, each within the limit of one message.
type memory struct {
	mu    sync.Mutex // guards what follows
	free  int
	alone bool          // one message has left the shared memory
	freed chan struct{} // closed once something was given back
}

func newMemory() *memory { return &memory{free: sharedMemory, freed: make(chan struct{})} }

// take waits for n bytes. Alone means that they, and all the message will need,
// are not of the shared ones.
func (m *memory) take(ctx context.Context, n int) (alone bool, err error) {
	for {
		m.mu.Lock()
		fits, freed := n <= m.free, m.freed
		switch {
		case fits:
			m.free -= n
		case !m.alone:
			m.alone, alone = true, true
		}
		m.mu.Unlock()
		if fits || alone {
			return alone, nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(stalled):
			return false, errMemory
		}
	}
}

// give takes back what a message had.
func (m *memory) give(n int, alone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free += n
	m.alone = m.alone && !alone
	close(m.freed)
	m.freed = make(chan struct{})
}

// text is one message of the server while it is read.
type text struct {
	memory *memory
	limit  int
	bytes  []byte
	shared int  // bytes of the shared memory that it has
	alone  bool // it needs none of them
}

// text returns an empty message of the server.
func (b *bridge) text(limit int) text { return text{memory: b.memory, limit: limit} }

// room is how long the text can be without growing. One byte is left for the
// end of a line.
func (t *text) room() int { return max(0, min(cap(t.bytes)-1, t.limit)) }

// grow makes room for n more bytes, within the limit.
func (t *text) grow(ctx context.Context, n int) error {
	need := len(t.bytes) + n
	if need <= t.room() {
		return nil
	}
	if need > t.limit {
		return eventstream.TooLong(t.limit)
	}
	size := max(need, min(2*cap(t.bytes), t.limit), min(512, t.limit))
	before := t.shared
	if size > ownMemory && !t.alone {
		alone, err := t.memory.take(ctx, size)
		if err != nil {
			return err
		}
		t.alone, t.shared = alone, size
		if alone {
			t.shared = 0
		}
	}
	if t.alone && size > aloneStep {
		size = t.limit // all that it can need, so that it is not copied again and again
	}
	t.bytes = append(make([]byte, 0, size+1), t.bytes...)
	if before > 0 && before != t.shared {
		t.memory.give(before, false)
	}
	return nil
}

// add appends a part.
func (t *text) add(ctx context.Context, part []byte) error {
	if err := t.grow(ctx, len(part)); err != nil {
		return err
	}
	t.bytes = append(t.bytes, part...)
	return nil
}

// readFrom reads all of r.
func (t *text) readFrom(ctx context.Context, r io.Reader) error {
	for {
		if len(t.bytes) >= t.room() {
			if err := t.more(ctx, r); err != nil {
				return endless(err)
			}
		}
		n, err := r.Read(t.bytes[len(t.bytes):t.room()])
		t.bytes = t.bytes[:len(t.bytes)+n]
		if err != nil {
			return endless(err)
		}
	}
}

// more makes room if r has more.
func (t *text) more(ctx context.Context, r io.Reader) error {
	var next [1]byte
	if _, err := io.ReadFull(r, next[:]); err != nil {
		return err
	}
	return t.add(ctx, next[:])
}

// endless is the error of a read to the end, at which there is none.
func endless(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// reset makes the text an empty one, and gives back what it took.
func (t *text) reset() {
	if t.shared == 0 && !t.alone {
		t.bytes = t.bytes[:0]
		return
	}
	t.memory.give(t.shared, t.alone)
	t.bytes, t.shared, t.alone = nil, 0, false
}
