//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/agent"
)

// BenchmarkAgent keeps profiles whose tokens expire after a minute. It reports what
// that costs the agent per minute and at its peak, and how long the agent takes to
// issue a token, compared with reading the store.
func BenchmarkAgent(b *testing.B) {
	for _, profiles := range []int{10, 1000} {
		b.Run(fmt.Sprint(profiles, "profiles"), func(b *testing.B) {
			l := newDemoHome(b, profiles, time.Minute)
			r := l.startAgent()
			client := &agent.Client{Socket: l.socket}
			begin := time.Now()
			var handed, read []time.Duration
			for b.Loop() {
				name := fmt.Sprint("p", rand.N(profiles))
				one := time.Now()
				if _, err := client.Issue(b.Context(), name, 0, ""); err != nil {
					b.Fatal(err)
				}
				handed = append(handed, time.Since(one))
				time.Sleep(20 * time.Millisecond) // the rate limit of the socket is 50 requests a second
			}
			for range 20 {
				read = append(read, timeToRun(b, l.command(b.Context(), "token", fmt.Sprint("p", rand.N(profiles)), "--min-ttl", "1s")))
			}
			time.Sleep(time.Until(begin.Add(30 * time.Second)))
			r.stop()
			state, lived := r.cmd.ProcessState, time.Since(begin)
			b.ReportMetric(0, "ns/op") // the medians are more useful
			b.ReportMetric(median(handed).Seconds()*1000, "handout-ms")
			b.ReportMetric(median(handed).Seconds()/median(read).Seconds(), "x-token-command")
			b.ReportMetric((state.UserTime()+state.SystemTime()).Seconds()/lived.Minutes(), "cpu-s/min")
			b.ReportMetric(float64(state.SysUsage().(*syscall.Rusage).Maxrss)/1024, "peak-MiB")
		})
	}
}
