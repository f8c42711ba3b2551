package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Store shows what store status found, in so many columns. Unlock says how to open one
// that is locked, one way a line.
func Store(r stores.Report, unlock string, cols int) *terminal.Text {
	all := []terminal.Fact{fact("store", r.Store), fact("address", r.Address), fact("path", r.Path), fact("mode", r.Mode)}
	if r.Path != "" && r.Keeper == "" {
		all = append(all, fact("keeper", "chosen at the first sign-in"))
	}
	all = append(all, fact("keeper", r.Keeper), fact("key", r.KeyPath), fact("records", fmt.Sprint(r.Records)))
	if r.Unlocked {
		all = append(all, fact("unlocked", "the key is in the kernel"))
	}
	if r.Rekeying {
		all = append(all, fact("rekeying", "was interrupted: run mcp-login store rekey again"))
	}
	if r.Locked {
		all = append(all, fact("locked", "yes; to unlock it: "+strings.ReplaceAll(unlock, "\n", ", or ")))
	} else {
		all = append(all, terminal.Fact{Label: "problem", Value: terminal.Cell{Text: r.Problem, Mark: terminal.Bad}})
	}
	var t terminal.Text
	t.Facts(append(all, fact("safe from", strings.Join(r.SafeFrom, "; ")), fact("readable by", strings.Join(r.ReadableBy, "; "))), cols)
	return &t
}
