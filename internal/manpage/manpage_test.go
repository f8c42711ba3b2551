package manpage_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/internal/manpage"
)

// TestPage: text is never parsed as a roff request, whatever it begins with.
func TestPage(t *testing.T) {
	var p manpage.Page
	p.Request("SH", `A "B"`)
	p.Term("--a", ".so x")
	p.Lines("'a\n\\b")
	want := ".SH \"A \\(dqB\\(dq\"\n.TP\n.B \"\\-\\-a\"\n\\&.so x\n.RS \"4\"\n.nf\n\\(aqa\n\\eb\n.fi\n.RE\n"
	if got := p.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
