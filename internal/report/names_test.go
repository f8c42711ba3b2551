package report_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/report"
)

// TestNamesOfManyProfiles: the memory of a list grows linearly with the number of
// names.
func TestNamesOfManyProfiles(t *testing.T) {
	perName := func(n int) float64 {
		names := make([]string, n)
		for i := range names {
			names[i] = "profile"
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := report.Names(names)
		runtime.ReadMemStats(&after)
		if len(got) != n*len("profile\n") || !strings.HasPrefix(got, "profile\n") {
			t.Fatalf("%d bytes", len(got))
		}
		return float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
	}
	if few, many := perName(100), perName(10_000); many > 4*few {
		t.Errorf("%.0f bytes for each of 100 names, %.0f for each of 10,000", few, many)
	}
}
