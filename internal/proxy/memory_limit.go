package proxy

import (
	"math"
	"runtime/debug"
)

// memoryLimit is the memory at which this program collects garbage more often. What it
// holds of long responses is bounded, but by default as much garbage again would be
// allowed.
const memoryLimit = 128 << 20

// BoundMemory limits the memory of a process that is only a proxy. A limit that GOMEMLIMIT
// sets is kept.
func BoundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryLimit)
	}
}
