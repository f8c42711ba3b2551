package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestTourOnAnotherMachine: the tour shows two ways to approve from another machine.
func TestTourOnAnotherMachine(t *testing.T) {
	text := noBrowserHint("http://127.0.0.1:8772/mcp", "make demo AUTO=5s", "  ")
	for _, want := range []string{"  ssh -L 8772:127.0.0.1:8772 HOST\n", "make demo AUTO=5s\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text + callWithEnv) {
		if len(line) > 80-len("     ") {
			t.Errorf("too wide: %q", line)
		}
	}
}

// TestTourSaysWhatItDoes: the tour explains itself before the first step.
func TestTourSaysWhatItDoes(t *testing.T) {
	var out bytes.Buffer
	r := &runner{out: &out, program: "/nonexistent/mcp-login", home: t.TempDir()}
	if err := r.runSteps(t.Context(), "http://127.0.0.1:1/mcp", 0); err == nil {
		t.Error("the tour worked without a program")
	}
	if !strings.HasPrefix(out.String(), "This signs in to a demo server on this machine") {
		t.Errorf("output %q", out.String())
	}
}
