package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
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

// bannedShown are words and phrases that the texts of the program do not have:
// help, errors, prompts, pages and messages in a CI job's log.
var bannedShown = []struct{ pattern, instead string }{
	{`\b(?:some|any|every)body\b`, "someone, anyone, an operator"},
	{`\bthere (?:is|are) no\b`, "unknown, no ... exists"},
	{`\b(?:this|that|it|which|what) is no\b`, "is not a"},
	{`\bis (?:no|none) (?:JSON|socket|file|path|number|URL)\b`, "is not a"},
	{`\btells?\b`, "show, identify"},
	{`\bfor good\b`, "permanently"},
	{`\ball the same\b`, "anyway"},
	{`\bletter by letter\b`, "exactly"},
	{`\bits life\b|\bunknown life\b|\blife of an?\b`, "lifetime"},
	{`\bmay be repeated\b`, "repeat it for more"},
	{`\(default: (?:none|false)\)`, "nothing"},
	{`\bby hand\b`, "yourself"},
	{`(?:: |; |, )give (?:a|an|one|some|either|the|them|it|file|https)\b`, "use"},
	{`, since this\b`, "because"},
	{`\bgoes? on\b`, "continue"},
	{"(?:^|[\"`:,] ?)who (?:has|may|asked|approves)\\b", "anyone with, the person who"},
	{`\bthe one\b.*\bthe other\b`, "the first, the second"},
}

// quoted are texts that must stay: contracts, and names of others.
var quoted = regexp.MustCompile(`"handed out"|handed_out|no more than`)

// TestProse holds every text of the sources and documents to plain English.
func TestProse(t *testing.T) {
	seen, shown, patterns, strict := 0, 0, compiled(banned), compiled(bannedShown)
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
		if filepath.Ext(path) == ".go" && !strings.Contains(path, "test/") {
			shown += checkShown(t, path, strict)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d files were looked at", seen)
	}
	if shown < 1000 {
		t.Errorf("only %d texts were looked at", shown)
	}
}

// isProse reports whether people read the file.
func isProse(path string) bool {
	switch filepath.Ext(path) {
	case ".go":
		return !strings.HasSuffix(path, "_test.go")
	case ".md", ".yml", ".yaml", ".mjs", ".html", ".nix", ".service", ".socket", ".txtar":
		return true
	case ".json": // descriptions of packages and bundles
		return !strings.Contains(path, "package-lock")
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

// checkShown looks at the texts of a source file: string literals of several words.
// It returns how many there are.
func checkShown(t *testing.T, path string, patterns []bannedPattern) (shown int) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, 0)
	if err != nil {
		t.Error(err)
		return 0
	}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || strings.Count(literal.Value, " ") < 2 {
			return true
		}
		shown++
		for _, b := range patterns {
			if found := b.pattern.FindString(literal.Value); found != "" {
				t.Errorf("%s: %q: say %s", fset.Position(literal.Pos()), found, b.instead)
			}
		}
		return true
	})
	return shown
}

type bannedPattern struct {
	pattern *regexp.Regexp
	instead string
}

func compiled(list []struct{ pattern, instead string }) (all []bannedPattern) {
	for _, b := range list {
		all = append(all, bannedPattern{regexp.MustCompile(`(?i)` + b.pattern), b.instead})
	}
	return all
}
