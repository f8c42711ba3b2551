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
	// unsharedMemory is what each message may use without asking: short answers never
	// wait for long ones.
	unsharedMemory = 64 << 10
	// sharedMemory is what all messages that are longer share. One more message
	// may be of any length up to the limit, so that there is always one that can
	// be read to its end.
	sharedMemory = 32 << 20
	// maxExclusiveGrowth is how long that one may be before it gets all of its room.
	maxExclusiveGrowth = 16 << 20
	// memoryTimeout is how long a long message waits for others that do not end.
	memoryTimeout = 2 * time.Minute
)

// errMemory is a long answer among too many others.
var errMemory = errors.New("too many long answers at once, and none of them finishes")

// memory bounds what messages of the server take while they are read. Without
// it a server could fill the memory with as many long answers as there are
// requests, each within the limit of one message.
type memory struct {
	mu        sync.Mutex // guards what follows
	free      int
	exclusive bool          // one message has left the shared memory
	freed     chan struct{} // closed once something was given back
}

func newMemory() *memory { return &memory{free: sharedMemory, freed: make(chan struct{})} }

// acquire waits for n bytes. Alone means that they, and all the message will need,
// are not of the shared ones.
func (m *memory) acquire(ctx context.Context, n int) (alone bool, err error) {
	for {
		m.mu.Lock()
		fits, freed := n <= m.free, m.freed
		switch {
		case fits:
			m.free -= n
		case !m.exclusive:
			m.exclusive, alone = true, true
		}
		m.mu.Unlock()
		if fits || alone {
			return alone, nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(memoryTimeout):
			return false, errMemory
		}
	}
}

// release takes back what a message had.
func (m *memory) release(n int, alone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free += n
	m.exclusive = m.exclusive && !alone
	close(m.freed)
	m.freed = make(chan struct{})
}

// buffer is one message of the server while it is read.
type buffer struct {
	memory    *memory
	limit     int
	bytes     []byte
	shared    int  // bytes of the shared memory that it has
	exclusive bool // it needs none of them
}

// newBuffer returns an empty message of the server.
func (b *bridge) newBuffer(limit int) buffer { return buffer{memory: b.memory, limit: limit} }

// capacity is how long the text can be without growing. One byte is left for the
// end of a line.
func (t *buffer) capacity() int { return max(0, min(cap(t.bytes)-1, t.limit)) }

// grow makes room for n more bytes, within the limit.
func (t *buffer) grow(ctx context.Context, n int) error {
	need := len(t.bytes) + n
	if need <= t.capacity() {
		return nil
	}
	if need > t.limit {
		return eventstream.TooLong(t.limit)
	}
	size := max(need, min(2*cap(t.bytes), t.limit), min(512, t.limit))
	before := t.shared
	if size > unsharedMemory && !t.exclusive {
		alone, err := t.memory.acquire(ctx, size)
		if err != nil {
			return err
		}
		t.exclusive, t.shared = alone, size
		if alone {
			t.shared = 0
		}
	}
	if t.exclusive && size > maxExclusiveGrowth {
		size = t.limit // all that it can need, so that it is not copied again and again
	}
	t.bytes = append(make([]byte, 0, size+1), t.bytes...)
	if before > 0 && before != t.shared {
		t.memory.release(before, false)
	}
	return nil
}

// add appends a part.
func (t *buffer) add(ctx context.Context, part []byte) error {
	if err := t.grow(ctx, len(part)); err != nil {
		return err
	}
	t.bytes = append(t.bytes, part...)
	return nil
}

// readFrom reads all of r.
func (t *buffer) readFrom(ctx context.Context, r io.Reader) error {
	for {
		if len(t.bytes) >= t.capacity() {
			if err := t.growIfMore(ctx, r); err != nil {
				return withoutEOF(err)
			}
		}
		n, err := r.Read(t.bytes[len(t.bytes):t.capacity()])
		t.bytes = t.bytes[:len(t.bytes)+n]
		if err != nil {
			return withoutEOF(err)
		}
	}
}

// growIfMore makes room if r has more.
func (t *buffer) growIfMore(ctx context.Context, r io.Reader) error {
	var next [1]byte
	if _, err := io.ReadFull(r, next[:]); err != nil {
		return err
	}
	return t.add(ctx, next[:])
}

// withoutEOF is the error of a read to the end, at which there is none.
func withoutEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// reset makes the text an empty one, and gives back what it took.
func (t *buffer) reset() {
	if t.shared == 0 && !t.exclusive {
		t.bytes = t.bytes[:0]
		return
	}
	t.memory.release(t.shared, t.exclusive)
	t.bytes, t.shared, t.exclusive = nil, 0, false
}
