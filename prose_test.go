package mcplogin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// banned are words and phrases that plain present-day English has a better one
// for, with that one.
var banned = []struct{ pattern, instead string }{
	{`\banew\b`, "again, new"},
	{`\blest\b`, "so that ... not"},
	{`\bno more\b(?: than)?`, "no longer; at most"},
	{`\bthereof\b|\bwhereof\b|\btherein\b`, "of it, in it"},
	{`\bwho(?:so)?ever\b`, "anyone who, the one that"},
	{`\b(?:is|are|was|were) to be had\b`, "is available"},
	{`\bas well as that can be\b`, "best effort"},
	{`\bfor so long\b`, "for that time"},
	{`\bcomes before\b`, "takes precedence over"},
	{`\bhands? on\b|\bhanded on\b`, "pass on, export"},
	{`\bhand(?:s|ed|ing)? out\b`, "issue, return"},
	{`\bof its own\b`, "separate, its own"},
	{`\bwho asks\b`, "the client, the caller"},
	{`, say,`, "for example"},
}

// quoted are texts that must stay: contracts, and names of others.
var quoted = regexp.MustCompile(`"handed out"|handed_out|no more than`)

// TestProse holds every text of the sources and documents to plain English.
func TestProse(t *testing.T) {
	seen, patterns := 0, bannedPatterns()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !isProse(path) {
			return nil
		}
		seen++
		checkProse(t, path, patterns)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d files were looked at", seen)
	}
}

// isProse reports whether people read the file.
func isProse(path string) bool {
	switch filepath.Ext(path) {
	case ".go":
		return !strings.HasSuffix(path, "_test.go")
	case ".md", ".yml", ".yaml", ".mjs", ".html":
		return true
	}
	return filepath.Base(path) == "Makefile" || filepath.Base(path) == "provide"
}

func checkProse(t *testing.T, path string, patterns []bannedPattern) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	text := quoted.ReplaceAllString(string(data), "")
	for i, line := range strings.Split(text, "\n") {
		for _, b := range patterns {
			if found := b.pattern.FindString(line); found != "" {
				t.Errorf("%s:%d: %q: say %s", path, i+1, found, b.instead)
			}
		}
	}
}

type bannedPattern struct {
	pattern *regexp.Regexp
	instead string
}

func bannedPatterns() (all []bannedPattern) {
	for _, b := range banned {
		all = append(all, bannedPattern{regexp.MustCompile(`(?i)` + b.pattern), b.instead})
	}
	return all
}
