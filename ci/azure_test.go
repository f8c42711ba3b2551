package ci_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
)

func TestAzureEscapes(t *testing.T) {
	w := newFakeJob(t, ci.Azure)
	if err := w.Export(t.Context(), []ci.Var{plain("A", "1;2]%3B\r\nend")}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.log.String(), "##vso[task.setvariable variable=A;issecret=false]1%3B2%5D%AZP253B%0D%0Aend\n"; got != want {
		t.Errorf("standard error = %q, want %q", got, want)
	}
}

func TestAzureRejectsUnsupportedValues(t *testing.T) {
	for _, tt := range []struct {
		decode string
		v      ci.Var
		want   error
	}{
		{"", secret("A", "one\ntwo"), ci.ErrVariable},
		{"", secret("A", "a%b"), nil},
		{"true", secret("A", "a%b"), nil},
		{"false", secret("A", "a%b"), ci.ErrVariable},
		{"false", plain("A", "a%b"), ci.ErrVariable},
		{"false", secret("A", "a"), nil},
	} {
		w := newFakeJob(t, ci.Azure, "DECODE_PERCENTS="+tt.decode)
		if err := w.Export(t.Context(), []ci.Var{tt.v}); !errors.Is(err, tt.want) {
			t.Errorf("DECODE_PERCENTS=%s: Export(%q) = %v, want %v", tt.decode, tt.v.Value, err, tt.want)
		}
		if exported := strings.Contains(w.log.String(), "setvariable"); exported != (tt.want == nil) {
			t.Errorf("DECODE_PERCENTS=%s: standard error = %q", tt.decode, w.log.String())
		}
	}
}
