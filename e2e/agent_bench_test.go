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
			d := newDemoHome(b, profiles, time.Minute)
			r := d.startAgent()
			client := &agent.Client{Socket: d.socket}
			begin := time.Now()
			var times, read []time.Duration
			for b.Loop() {
				name := fmt.Sprint("p", rand.N(profiles))
				started := time.Now()
				if _, err := client.Issue(b.Context(), name, 0, ""); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(started))
				time.Sleep(20 * time.Millisecond) // the rate limit of the socket is 50 requests a second
			}
			for range 20 {
				read = append(read, timeToRun(b, d.command(b.Context(), "token", fmt.Sprint("p", rand.N(profiles)), "--min-ttl", "1s")))
			}
			time.Sleep(time.Until(begin.Add(30 * time.Second)))
			r.stop()
			state, lived := r.cmd.ProcessState, time.Since(begin)
			b.ReportMetric(0, "ns/op") // the medians are more useful
			b.ReportMetric(median(times).Seconds()*1000, "issue-ms")
			b.ReportMetric(median(times).Seconds()/median(read).Seconds(), "x-token-command")
			b.ReportMetric((state.UserTime()+state.SystemTime()).Seconds()/lived.Minutes(), "cpu-s/min")
			b.ReportMetric(float64(state.SysUsage().(*syscall.Rusage).Maxrss)/1024, "peak-MiB")
		})
	}
}
