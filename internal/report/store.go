package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Store shows what store status found. Unlock says how to open one that is locked, one
// way a line.
func Store(r stores.Report, unlock string) *terminal.Text {
	facts := []terminal.Fact{fact("store", r.Store), fact("address", r.Address), fact("path", r.Path), fact("mode", r.Mode)}
	if r.Path != "" && r.Keeper == "" {
		facts = append(facts, fact("keeper", "chosen at the first sign-in"))
	}
	facts = append(facts, fact("keeper", r.Keeper), fact("key", r.KeyPath), fact("records", fmt.Sprint(r.Records)))
	if r.Unlocked {
		facts = append(facts, fact("unlocked", "the key is in the kernel"))
	}
	if r.Rekeying {
		facts = append(facts, fact("rekeying", "was interrupted: run mcp-login store rekey again"))
	}
	if r.Locked {
		first, others, _ := strings.Cut(unlock, "\n")
		facts = append(facts, fact("locked", "yes; to unlock it: "+first))
		for other := range strings.Lines(others) {
			facts = append(facts, fact("", "or "+other))
		}
	} else {
		facts = append(facts, terminal.Fact{Label: "problem", Value: terminal.Cell{Text: oauth.Sanitize(r.Problem, MaxLine), Mark: terminal.Bad}})
	}
	var t terminal.Text
	t.Facts(append(facts, fact("safe from", strings.Join(r.SafeFrom, "; ")), fact("readable by", strings.Join(r.ReadableBy, "; "))))
	return &t
}
