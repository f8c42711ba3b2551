package cistep_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/cistep"
)

// TestJobIdentityOfManyProfiles: the profiles of an agent request the identity of
// the job concurrently. It is reported once.
func TestJobIdentityOfManyProfiles(t *testing.T) {
	var job cistep.Step
	var first atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if job.Note(ci.Identity{Issuer: "https://ci", Subject: "ann"}) {
				first.Add(1)
			}
			if id := job.Identity(); id.Subject != "ann" {
				t.Errorf("the identity is %v", id)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 {
		t.Errorf("the identity was reported %d times", first.Load())
	}
}
