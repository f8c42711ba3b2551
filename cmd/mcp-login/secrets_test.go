package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// printSecrets are the commands that print a secret to standard output.
var printSecrets = []string{"env", "exec", "headers", "token", "hook"}

// copiedOutput copies the output that users and logs may see to a file in dir: standard
// error, and standard output unless a secret belongs there.
func copiedOutput(e *env, dir string, args []string) *env {
	f, err := os.CreateTemp(dir, "")
	if err != nil {
		panic(err)
	}
	e.err = io.MultiWriter(e.err, f)
	if !slices.ContainsFunc(args, func(a string) bool { return slices.Contains(printSecrets, a) }) {
		e.out = io.MultiWriter(e.out, f)
	}
	return e
}

// withoutMasks removes the lines with masks for a CI runner.
func withoutMasks(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "::add-mask::") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// machineDuration matches a duration in Go's format, such as 10m0s.
var machineDuration = regexp.MustCompile(`\d(h0m|m)0s`)

// searchOutput returns an error if a file of dir contains a secret, or a duration
// in Go's format.
func searchOutput(dir string, secrets []string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if d := machineDuration.Find(text); d != nil {
			return fmt.Errorf("the duration %s is in the output:\n%s", d, text)
		}
		for _, s := range secrets {
			if strings.Contains(withoutMasks(string(text)), s) {
				return fmt.Errorf("the secret %q is in the output:\n%s", s, text)
			}
		}
	}
	return nil
}
