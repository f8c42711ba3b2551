package manpage_test

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/manpage"
)

// TestManualEscapes: characters that are special in roff are printed unchanged.
func TestManualEscapes(t *testing.T) {
	page := string(manpage.Manual{Summary: "x", Synopsis: ".so /etc/passwd\n'it\\n `a` ^~ \"-\""}.Text())
	if want := ".nf\n\\&.so /etc/passwd\n\\(aqit\\en \\(gaa\\(ga \\(ha\\(ti \\(dq\\-\\(dq\n.fi\n"; !strings.Contains(page, want) {
		t.Errorf("no %q in\n%s", want, page)
	}
}
