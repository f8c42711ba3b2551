package agentd

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	// workers is the maximum of refreshes in flight, perServer that per MCP
	// server, so that a server that hangs does not delay the others.
	workers   = 32
	perServer = 16
	// lookEvery is the maximum interval between comparisons of the schedule with
	// the wall clock. Timers stop while the machine is suspended, and ignore a
	// change of the wall clock.
	lookEvery = 30 * time.Second
	// syncEvery is the interval at which the profiles are listed again.
	syncEvery = time.Minute
	// maxDrift is the difference between wall clock and monotonic clock, since the
	// last comparison, that counts as a jump.
	maxDrift = 2 * time.Second
	// spread is the time over which refreshes are spread that a clock jump made due
	// at once.
	spread = time.Minute
)

// unplanned is the index of a profile that is not in the schedule.
const unplanned = -1

// schedule is a heap of all profiles by the time when each is due.
type schedule []*profile

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push implements heap.Interface.
func (s *schedule) Push(x any) {
	p := x.(*profile)
	p.index = len(*s)
	*s = append(*s, p)
}

// Pop implements heap.Interface.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	p := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	p.index = unplanned
	return p
}

// plan makes p due when the wall clock shows at. A busy profile is added when its
// worker is done.
func (s *schedule) plan(p *profile, at time.Time) {
	p.at = at.Round(0)
	switch {
	case p.index != unplanned:
		heap.Fix(s, p.index)
	case !p.busy:
		heap.Push(s, p)
	}
}

func (s *schedule) remove(p *profile) {
	if p.index != unplanned {
		heap.Remove(s, p.index)
	}
}

// keep works on each profile when it is due, until ctx ends and running work is
// done. One goroutine and one timer serve all profiles.
func (a *Agent) keep(ctx context.Context) {
	c := pool{done: make(chan string), busy: map[string]int{}}
	tick := time.NewTimer(0)
	defer tick.Stop()
	var waiting []*profile // due, but not begun
	synced := time.Now()
	for {
		select {
		case <-ctx.Done():
			c.wait()
			return
		case server := <-c.done:
			c.running--
			c.busy[server]--
		case <-a.wake:
		case <-tick.C:
		}
		a.look()
		if time.Since(synced) >= syncEvery && c.begin("", func() { a.syncAgain(ctx) }) {
			synced = time.Now()
		}
		due, next := a.take(time.Now())
		waiting = slices.DeleteFunc(append(waiting, due...), func(p *profile) bool {
			return c.begin(a.serverOf(p), func() { a.work(ctx, p) })
		})
		tick.Reset(next)
	}
}

// syncAgain adds profiles that were stored since the last sync. Removed ones
// are detected when they are read.
func (a *Agent) syncAgain(ctx context.Context) {
	if err := a.syncProfiles(ctx, false); err != nil && ctx.Err() == nil {
		a.log.Warn("cannot list the profiles", "error", err)
	}
}

// pool limits the number of workers. Only jobs run outside the scheduler's
// goroutine.
type pool struct {
	running int
	busy    map[string]int // running, by server
	done    chan string    // the server whose job has ended
	jobs    sync.WaitGroup
}

// begin starts a job for a server, and reports whether a worker was free.
func (c *pool) begin(server string, job func()) bool {
	if c.running == workers || c.busy[server] == perServer {
		return false
	}
	c.running++
	c.busy[server]++
	c.jobs.Go(func() {
		job()
		c.done <- server
	})
	return true
}

// wait waits for the running jobs.
func (c *pool) wait() {
	for ; c.running > 0; c.running-- {
		<-c.done
	}
	c.jobs.Wait()
}

// take removes the due profiles from the schedule, and returns the time until
// the next is due.
func (a *Agent) take(now time.Time) (due []*profile, next time.Duration) {
	now = now.Round(0) // strip the monotonic reading
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.due) > 0 && !a.due[0].at.After(now) {
		p := heap.Pop(&a.due).(*profile)
		p.busy = true
		due = append(due, p)
	}
	if len(a.due) == 0 {
		return due, lookEvery
	}
	return due, min(a.due[0].at.Sub(now), lookEvery)
}

func (a *Agent) serverOf(p *profile) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return p.last.Server
}

// watch compares the wall clock with the monotonic one.
type watch struct {
	mu   sync.Mutex // guards last, and is held until a jump is dealt with
	last time.Time
}

// jump returns the difference between wall clock and monotonic clock since the
// last call: the clock was set, or the machine was suspended.
func (w *watch) jump(now time.Time) time.Duration {
	last := w.last
	w.last = now
	if last.IsZero() {
		return 0
	}
	return now.Round(0).Sub(last.Round(0)) - now.Sub(last)
}

// look detects and handles a clock jump. Concurrent requests wait until the
// jump is handled.
func (a *Agent) look() {
	a.watch.mu.Lock()
	defer a.watch.mu.Unlock()
	if by := a.watch.jump(time.Now()); by.Abs() > maxDrift {
		a.jumped(by)
	}
}

// delayAfterJump returns when to refresh a token whose expiry is unknown after
// the clock was set back: immediately if it has a sink, whose file is missing
// until then.
func (a *Agent) delayAfterJump(profile string) time.Duration {
	if a.hasSink(profile) {
		return 0
	}
	return rand.N(spread)
}

// jumped handles a clock jump. A forward jump, as after a suspend, makes profiles
// due, which the scheduler detects by itself. After a backward jump the known
// expiries are too late by this clock, so every token is refreshed before it is
// issued.
func (a *Agent) jumped(by time.Duration) {
	a.metrics.clockJumps.Inc()
	a.log.Warn("the clock jumped, or the machine slept", "by", by.String())
	if by > 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for _, p := range a.profiles {
		if !p.last.Token.Expiry.IsZero() {
			p.suspect = true
			a.due.plan(p, now.Add(a.delayAfterJump(p.name)))
			a.signalSinks(p.name)
		}
	}
}
