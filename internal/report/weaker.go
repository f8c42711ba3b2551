package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/stores"
)

// Weaker says in one line what is lost where credentials move to a store that
// protects them less.
func Weaker(w stores.Weaker) string {
	return fmt.Sprintf("%s protects credentials less than %s; these can also read them there: %s", w.To, w.From, strings.Join(w.ReadableBy, "; "))
}
