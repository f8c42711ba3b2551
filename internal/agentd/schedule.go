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
	// workers bounds the refreshes that run at once, perServer those at one MCP
	// server's: one that hangs must not keep the others waiting.
	workers   = 32
	perServer = 16
	// lookEvery is how often the schedule is compared with the wall clock at
	// least. Timers run on a clock that stands still while the machine sleeps,
	// and know nothing of a clock that was set.
	lookEvery = 30 * time.Second
	// surveyEvery is how often it is looked which profiles there are.
	surveyEvery = time.Minute
	// maxDrift is by how much the wall clock may differ from the monotonic one
	// between two looks before it counts as a jump.
	maxDrift = 2 * time.Second
	// spread is the time over which refreshes are spread that a jump of the
	// clock made due all together.
	spread = time.Minute
)

// unplanned is the index of a profile that is not in the schedule.
const unplanned = -1

// schedule is one heap of all profiles, by when each is to be looked at.
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

// plan has p looked at when the wall clock shows at. One that is being worked
// on is planned by who works on it.
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

// keep looks at each profile when it is due, until ctx ends and the work that
// has begun is done. One goroutine and one timer do for all profiles.
func (a *Agent) keep(ctx context.Context) {
	c := crew{done: make(chan string), busy: map[string]int{}}
	tick := time.NewTimer(0)
	defer tick.Stop()
	var waiting []*profile // due, but not begun
	surveyed := time.Now()
	for {
		select {
		case <-ctx.Done():
			c.rest()
			return
		case server := <-c.done:
			c.running--
			c.busy[server]--
		case <-a.wake:
		case <-tick.C:
		}
		a.look()
		if time.Since(surveyed) >= surveyEvery && c.begin("", func() { a.surveyAgain(ctx) }) {
			surveyed = time.Now()
		}
		due, next := a.take(time.Now())
		waiting = slices.DeleteFunc(append(waiting, due...), func(p *profile) bool {
			return c.begin(a.serverOf(p), func() { a.work(ctx, p) })
		})
		tick.Reset(next)
	}
}

// surveyAgain looks for profiles that were stored since. Those that are gone
// show by themselves.
func (a *Agent) surveyAgain(ctx context.Context) {
	if err := a.survey(ctx, false); err != nil && ctx.Err() == nil {
		a.log.Warn("not looked for new profiles", "error", err)
	}
}

// crew is the bounded number of goroutines that work. All but the work itself
// happens on one goroutine.
type crew struct {
	running int
	busy    map[string]int // running, by server
	done    chan string    // the server whose job has ended
	jobs    sync.WaitGroup
}

// begin has a job done for a server, and reports whether there was room.
func (c *crew) begin(server string, job func()) bool {
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

// rest waits for the jobs that run.
func (c *crew) rest() {
	for ; c.running > 0; c.running-- {
		<-c.done
	}
	c.jobs.Wait()
}

// take takes what is due out of the schedule, and returns how long to sleep if
// nothing happens.
func (a *Agent) take(now time.Time) (due []*profile, next time.Duration) {
	now = now.Round(0) // the wall clock's reading alone
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

// jump returns by how much the wall clock was moved, or time passed unnoticed
// in suspend, since the last look.
func (w *watch) jump(now time.Time) time.Duration {
	last := w.last
	w.last = now
	if last.IsZero() {
		return 0
	}
	return now.Round(0).Sub(last.Round(0)) - now.Sub(last)
}

// look notices a clock that jumped. Of requests that come at once none goes on
// before one of them has dealt with the jump.
func (a *Agent) look() {
	a.watch.mu.Lock()
	defer a.watch.mu.Unlock()
	if by := a.watch.jump(time.Now()); by.Abs() > maxDrift {
		a.jumped(by)
	}
}

// jumped handles a jump of the clock. One forward, as after a suspend, makes
// profiles due, which the schedule shows by itself. After one backward what is
// known of expiries is worth nothing: they lie later by this clock than for
// the server, so every token is refreshed, and none handed out before.
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
			a.due.plan(p, now.Add(rand.N(spread)))
		}
	}
}
