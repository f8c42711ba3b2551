package buffer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// blockSize is the size of the blocks by which a buffer grows.
const blockSize = 64 << 10

// ErrTooLong means that a message is longer than the limit.
var ErrTooLong = errors.New("the message is too long")

// TooLong is ErrTooLong with the limit.
func TooLong(limit int) error { return fmt.Errorf("%w: the limit is %d bytes", ErrTooLong, limit) }

// Buffer holds a message while it is read. It consists of blocks, so nothing is copied
// when it grows. Call Reset when the message is no longer needed.
type Buffer struct {
	account *Account
	limit   int
	blocks  [][]byte // all but the last are full
	size    int
	paid    int // bytes of the account
	taken   int // bytes of the first block, by Read
}

// New returns an empty buffer for a message of up to limit bytes.
func New(account *Account, limit int) *Buffer { return &Buffer{account: account, limit: limit} }

// Len returns the length of the message so far.
func (b *Buffer) Len() int { return b.size }

// Limit returns the maximum length of the message.
func (b *Buffer) Limit() int { return b.limit }

// Add appends a part.
func (b *Buffer) Add(ctx context.Context, part []byte) error {
	if len(part) > b.limit-b.size {
		return TooLong(b.limit)
	}
	for len(part) > 0 {
		room, err := b.room(ctx)
		if err != nil {
			return err
		}
		n := copy(room, part)
		b.extend(n)
		part = part[n:]
	}
	return nil
}

// ReadFrom appends all of r. It may read one byte beyond the limit, to find out that
// there is one.
func (b *Buffer) ReadFrom(ctx context.Context, r io.Reader) error {
	for {
		if b.size == b.limit {
			return b.atLimit(r)
		}
		room, err := b.room(ctx)
		if err != nil {
			return err
		}
		n, err := r.Read(room[:min(len(room), b.limit-b.size)])
		b.extend(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// atLimit returns an error if r does not end here.
func (b *Buffer) atLimit(r io.Reader) error {
	var next [1]byte
	_, err := io.ReadFull(r, next[:])
	switch {
	case err == nil:
		return TooLong(b.limit)
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// room returns the unused part of the last block, or else of a new one.
func (b *Buffer) room(ctx context.Context) ([]byte, error) {
	if i := len(b.blocks) - 1; i >= 0 && len(b.blocks[i]) < cap(b.blocks[i]) {
		return b.blocks[i][len(b.blocks[i]):cap(b.blocks[i])], nil
	}
	if len(b.blocks) > 0 { // the first one is not shared
		if err := b.pay(ctx, blockSize); err != nil {
			return nil, err
		}
	}
	block, ok := b.account.budget.blocks.Get().(*[blockSize]byte)
	if !ok {
		block = new([blockSize]byte)
	}
	b.blocks = append(b.blocks, block[:0])
	return block[:], nil
}

func (b *Buffer) pay(ctx context.Context, n int) error {
	if err := b.account.acquire(ctx, n); err != nil {
		return err
	}
	b.paid += n
	return nil
}

// extend counts n bytes that were written to the room.
func (b *Buffer) extend(n int) {
	last := &b.blocks[len(b.blocks)-1]
	*last = (*last)[:len(*last)+n]
	b.size += n
}

// Bytes returns the message as one slice, which is valid until Reset. A message of
// several blocks is copied.
func (b *Buffer) Bytes(ctx context.Context) ([]byte, error) {
	switch len(b.blocks) {
	case 0:
		return nil, nil
	case 1:
		return b.blocks[0], nil
	}
	paid := b.paid
	if err := b.pay(ctx, b.size); err != nil {
		return nil, err
	}
	whole := slices.Concat(b.blocks...)
	b.reuseBlocks()
	b.blocks = [][]byte{whole}
	b.paid -= paid
	b.account.release(paid)
	return whole, nil
}

// Blocks returns the part of the message between two positions. The slices are valid
// until Reset, and may be changed.
func (b *Buffer) Blocks(start, end int) (all [][]byte) {
	for _, block := range b.blocks {
		from, to := max(start, 0), min(end, len(block))
		if from < to {
			all = append(all, block[from:to])
		}
		start, end = start-len(block), end-len(block)
	}
	return all
}

// Read implements io.Reader: it takes the message out of the buffer, from its beginning.
// The memory is given back on the way.
func (b *Buffer) Read(p []byte) (n int, err error) {
	if b.size == 0 {
		return 0, io.EOF
	}
	block := b.blocks[0]
	n = copy(p, block[b.taken:])
	b.size -= n
	if b.taken += n; b.taken == len(block) {
		b.reuse(block)
		b.blocks, b.taken = b.blocks[1:], 0
		back := min(b.paid, cap(block))
		b.paid -= back
		b.account.release(back)
	}
	return n, nil
}

// Reset makes the buffer empty.
func (b *Buffer) Reset() {
	b.reuseBlocks()
	b.account.release(b.paid)
	b.blocks, b.size, b.paid, b.taken = b.blocks[:0], 0, 0, 0
}

// reuseBlocks gives up the blocks.
func (b *Buffer) reuseBlocks() {
	for i, block := range b.blocks {
		b.reuse(block)
		b.blocks[i] = nil
	}
}

func (b *Buffer) reuse(block []byte) {
	if cap(block) == blockSize {
		b.account.budget.blocks.Put((*[blockSize]byte)(block[:blockSize]))
	}
}
