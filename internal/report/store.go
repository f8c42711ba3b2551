package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Store shows what store status found. Unlock says how to open one that is locked, one
// way a line.
func Store(r stores.Report, unlock string) *terminal.Text {
	facts := [][2]string{{"store", r.Store}, {"address", r.Address}, {"path", r.Path}, {"mode", r.Mode}}
	if r.Path != "" && r.Keeper == "" {
		facts = append(facts, [2]string{"keeper", "chosen at the first sign-in"})
	}
	facts = append(facts, [][2]string{{"keeper", r.Keeper}, {"key", r.KeyPath}, {"records", fmt.Sprint(r.Records)}}...)
	if r.Unlocked {
		facts = append(facts, [2]string{"unlocked", "the key is in the kernel"})
	}
	if r.Rekeying {
		facts = append(facts, [2]string{"rekeying", "was interrupted: run mcp-login store rekey again"})
	}
	if r.Locked {
		facts = append(facts, [2]string{"locked", "yes; to unlock it: " + strings.ReplaceAll(unlock, "\n", ", or ")})
	} else {
		facts = append(facts, [2]string{"problem", r.Problem})
	}
	var t terminal.Text
	t.Facts(append(facts, [][2]string{{"safe from", strings.Join(r.SafeFrom, "; ")}, {"readable by", strings.Join(r.ReadableBy, "; ")}}...))
	return &t
}
