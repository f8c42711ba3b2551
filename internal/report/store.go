package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Store shows what store status found. Unlock says how to
// open one that is locked, one way a line.
func Store(r stores.Report, unlock string) string {
	var t terminal.Table
	t.Fact("store", r.Store)
	t.Fact("address", r.Address)
	t.Fact("path", r.Path)
	t.Fact("mode", r.Mode)
	if r.Path != "" && r.Keeper == "" {
		t.Fact("keeper", "chosen at the first sign-in")
	}
	t.Fact("keeper", r.Keeper)
	t.Fact("key", r.KeyPath)
	t.Fact("records", fmt.Sprint(r.Records))
	if r.Unlocked {
		t.Fact("unlocked", "the key is in the kernel")
	}
	if r.Rekeying {
		t.Fact("rekeying", "was interrupted: run mcp-login store rekey again")
	}
	if r.Locked {
		t.Fact("locked", "yes; to unlock it: "+strings.ReplaceAll(unlock, "\n", ", or "))
	} else {
		t.Fact("problem", r.Problem)
	}
	t.Fact("safe from", strings.Join(r.SafeFrom, "; "))
	t.Fact("readable by", strings.Join(r.ReadableBy, "; "))
	return t.String()
}
