package clientconfig

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/mcpremote"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// ByFile returns the migrations that are possible, and their files in order.
func ByFile(all []Migration) (files []string, possible map[string][]Migration) {
	possible = map[string][]Migration{}
	for _, m := range all {
		if m.Err != nil {
			continue
		}
		if possible[m.File] == nil {
			files = append(files, m.File)
		}
		possible[m.File] = append(possible[m.File], m)
	}
	return files, possible
}

// Plan says what becomes of each entry. It can be shown: values that may be secrets are
// left out.
func Plan(all []Migration) string {
	if len(all) == 0 {
		return "no client's file starts mcp-remote\n"
	}
	var b strings.Builder
	for _, m := range all {
		fmt.Fprintf(&b, "%s: %s\n", m.File, m.Name)
		fmt.Fprintf(&b, "- %s\n", suggest.Command(mcpremote.Shown(m.Command)))
		if m.Err != nil {
			fmt.Fprintf(&b, "  stays: %v\n", m.Err)
			continue
		}
		fmt.Fprintf(&b, "+ %s\n", suggest.Command(mcpremote.Shown(m.Proxy)))
		for _, note := range m.Notes {
			fmt.Fprintf(&b, "  %s\n", note)
		}
	}
	return b.String()
}
