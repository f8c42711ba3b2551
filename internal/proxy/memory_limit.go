package proxy

import (
	"math"
	"runtime/debug"
)

// memoryLimit is the memory at which this program begins to collect garbage more often.
// Buffers of long answers are large and soon garbage: without it, they would take twice
// what is in use.
const memoryLimit = 128 << 20

// BoundMemory keeps the garbage of long answers small in a process that is a proxy and
// nothing else. A limit of the environment, GOMEMLIMIT, stays as it is.
func BoundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryLimit)
	}
}
