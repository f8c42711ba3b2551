// Package buffer keeps long messages in memory within a budget that they share. It must
// not know what the messages say, or where they come from.
//
// Without a budget, a server could fill the memory with as many long responses as there
// are requests, each within the limit of one message.
package buffer

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// shared is what all messages longer than a block share. The messages of one more
	// account may be of any length up to their limit, so that one can always be read to
	// its end.
	shared = 32 << 20
	// timeout is how long a long message waits for others that do not end.
	timeout = 2 * time.Minute
)

// ErrFull means that too many long messages are read at once.
var ErrFull = errors.New("too many long answers at once, and none of them finishes")

// Budget bounds the memory of all messages that are read at once.
type Budget struct {
	mu        sync.Mutex // guards what follows
	free      int
	exclusive bool          // one account has left the shared memory
	freed     chan struct{} // closed when something was given back

	// blocks are those that no buffer uses. They are used again because the garbage
	// collector lets as much become garbage as is in use before it collects any.
	blocks sync.Pool
}

// NewBudget returns a budget of which nothing is in use.
func NewBudget() *Budget { return &Budget{free: shared, freed: make(chan struct{})} }

// acquire waits for n bytes. Exclusive means that they, and all that the account will
// need, are outside the shared memory.
func (b *Budget) acquire(ctx context.Context, n int) (exclusive bool, err error) {
	for {
		b.mu.Lock()
		fits, freed := n <= b.free, b.freed
		switch {
		case fits:
			b.free -= n
		case !b.exclusive:
			b.exclusive, exclusive = true, true
		}
		b.mu.Unlock()
		if fits || exclusive {
			return exclusive, nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(timeout):
			return false, ErrFull
		}
	}
}

func (b *Budget) release(n int, exclusive bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	b.exclusive = b.exclusive && !exclusive
	close(b.freed)
	b.freed = make(chan struct{})
}

// Account is the part of a budget that one request uses. All that handles the response to
// the request must share the account: a second one could wait for the first.
type Account struct {
	budget *Budget

	mu        sync.Mutex // guards what follows
	held      int
	shared    int // of held
	exclusive bool
}

// Account returns an account that holds nothing.
func (b *Budget) Account() *Account { return &Account{budget: b} }

func (a *Account) acquire(ctx context.Context, n int) error {
	a.mu.Lock()
	isExclusive := a.exclusive
	if isExclusive {
		a.held += n
	}
	a.mu.Unlock()
	if isExclusive {
		return nil
	}
	exclusive, err := a.budget.acquire(ctx, n)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held += n
	if exclusive {
		a.exclusive = true
	} else {
		a.shared += n
	}
	return nil
}

// release gives back n bytes, those outside the shared memory first.
func (a *Account) release(n int) {
	if n == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held -= n
	back := a.shared - min(a.shared, a.held)
	ends := a.exclusive && a.held == 0
	if back == 0 && !ends {
		return
	}
	a.shared -= back
	a.exclusive = a.exclusive && !ends
	a.budget.release(back, ends)
}

type accountKey struct{}

// WithAccount returns a context that carries the account of a request.
func (b *Budget) WithAccount(ctx context.Context) context.Context {
	return context.WithValue(ctx, accountKey{}, b.Account())
}

// AccountOf returns the account that a context carries, or else one of a new budget.
func AccountOf(ctx context.Context) *Account {
	if a, ok := ctx.Value(accountKey{}).(*Account); ok {
		return a
	}
	return NewBudget().Account()
}
