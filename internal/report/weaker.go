package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/stores"
)

// Weaker says in one line what is lost where credentials move to a store that
// protects them less, or the key of their store to a keeper that does.
func Weaker(w stores.Weaker) string {
	to, from := keptAt(w.To), keptAt(w.From)
	if w.To.Store == w.From.Store {
		to, from = Keeper(w.To.Keeper), Keeper(w.From.Keeper)
	}
	return fmt.Sprintf("%s protects credentials less than %s; these can also read them there: %s", to, from, strings.Join(w.ReadableBy, "; "))
}

// Keeper names what keeps a key, in a sentence.
func Keeper(kind string) string {
	if strings.HasPrefix(kind, "OS ") {
		return "the " + kind
	}
	return "a " + kind
}

func keptAt(k stores.Kept) string {
	if k.Keeper == "" {
		return k.Store
	}
	return fmt.Sprintf("%s (key kept by: %s)", k.Store, k.Keeper)
}

// Moving asks whether credentials are to move to another store.
func Moving(w stores.Weaker, names []string) string {
	what := fmt.Sprintf("%d credentials", len(names))
	if len(names) == 1 {
		what = fmt.Sprintf("%q", names[0])
	}
	return fmt.Sprintf("Move %s from %s to %s?", what, w.From.Store, w.To.Store)
}
