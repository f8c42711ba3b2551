package completion

import (
	"context"
	"slices"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/secrets"
)

// profiles returns the names of credentials that are not yet in the line.
func (w Words) profiles(ctx context.Context, l commandline.Line) []candidate {
	names := w.Profiles(ctx)
	slices.Sort(names)
	var found []candidate
	for _, name := range slices.Compact(names) {
		if Offered(name) && !slices.Contains(l.Args, name) && !slices.Contains(l.Values(alsoFlag), name) {
			found = append(found, candidate{kind: aWord, word: name})
		}
	}
	return found
}

// Offered reports whether a name from a store, the configuration or an agent may
// be completed.
func Offered(name string) bool {
	return secrets.CheckName(name) == nil && name[0] != ':'
}
