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

// bannedInOthers are words that the comments of scripts and of tests
// do not have, in addition to those of bannedComments.
var bannedInOthers = []struct{ pattern, instead string }{
	{`\b(?:person|people)\b`, "the user"},
	{`\bnobody\b|\bwho(?:so)?ever\b`, "no user, no process, any user"},
	{`\bfor ever\b`, "forever"},
	{`\bhands? (?:it|them|over|out|on)\b|\bhanded\b`, "pass, issue, export"},
	{`\bon the way\b|\bthe way out\b`, "the hint, the remedy"},
	{`\bas (?:it|they) should\b|\ball that\b`, "everything that"},
	{`\btaken? (?:back|up)\b`, "revoke, resume"},
	{`\bflavour\b|\bneighbour\w*\b|\bmisspelt\b`, "the American spelling"},
}

// bannedTestNames are words that no identifier of a test has, in
// addition to those of bannedNames.
var bannedTestNames = []struct{ pattern, instead string }{
	{`\b(?:person|people|somebody|nobody|stranger)\b`, "user"},
	{`\b(?:talk|said|heard|overheard)\b`, "output, message"},
	{`\b(?:knobs?|desk|crowd|fuse|bombs|zoo)\b`, "what the value is"},
	{`\bspeaks?\b|\bgoes on\b|\belsewhere\b`, "use, continue, on another host"},
}

// TestCommentsOfOtherSources checks the comments of scripts, workflows, manifests and
// the end-to-end tests for standard terms.
func TestCommentsOfOtherSources(t *testing.T) {
	patterns, seen := compiled(append(append(bannedInOthers, bannedComments...), banned...)), 0
	for _, path := range otherSources(t) {
		for _, comment := range commentsOf(t, path) {
			seen++
			for _, b := range patterns {
				if found := b.pattern.FindString(comment); found != "" {
					t.Errorf("%s: %q in %q: say %s", path, found, comment, b.instead)
				}
			}
		}
	}
	if seen < 1000 {
		t.Errorf("only %d comments were checked", seen)
	}
}

// TestNamesOfEndToEndTests checks the identifiers of the end-to-end tests for standard terms.
func TestNamesOfEndToEndTests(t *testing.T) {
	patterns, seen := compiled(append(bannedTestNames, bannedNames...)), 0
	for _, path := range otherSources(t) {
		if filepath.Ext(path) != ".go" {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			seen++
			for _, b := range patterns {
				if b.pattern.MatchString(wordsOf(id.Name)) {
					t.Errorf("%s: %s: say %s", fset.Position(id.Pos()), id.Name, b.instead)
				}
			}
			return true
		})
	}
	if seen < 10_000 {
		t.Errorf("only %d identifiers were checked", seen)
	}
}

// otherSources returns the files with comments besides the Go code of this module:
// the end-to-end tests, scripts, workflows and manifests.
func otherSources(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "node_modules", "dist", "bin":
				if !strings.HasPrefix(path, "e2e") {
					return filepath.SkipDir
				}
			}
			return nil
		}
		if isOtherSource(filepath.ToSlash(path)) {
			paths = append(paths, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	return paths
}

func isOtherSource(path string) bool {
	switch filepath.Ext(path) {
	case ".go":
		return strings.HasPrefix(path, "e2e/")
	case ".js", ".mjs", ".c", ".txtar", ".sh", ".bash", ".zsh", ".fish", ".ps1", ".yml", ".yaml", ".service", ".socket", ".nix":
		return true
	case "":
		switch path {
		case "Makefile", ".ci/run", "e2e/provide", "e2e/debian-packages", "e2e/dist/debian-packages", "packaging/dist", "packaging/prepare":
			return true
		}
	}
	return false
}

var (
	slashComment = regexp.MustCompile(`^(\s*|.*\s)// (.*)$`)
	hashComment  = regexp.MustCompile(`^(\s*|.*\s)#+ (.*)$`)
)

// commentsOf returns the comments of a file. The lines of one comment are joined.
func commentsOf(t *testing.T, path string) (comments []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	marker := hashComment
	switch filepath.Ext(path) {
	case ".go", ".js", ".mjs", ".c":
		marker = slashComment
	}
	continues := false
	for line := range strings.Lines(string(data)) {
		m := marker.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continues = false
			continue
		}
		if alone := strings.TrimSpace(m[1]) == ""; alone && continues {
			comments[len(comments)-1] += " " + m[2]
		} else {
			comments = append(comments, m[2])
			continues = alone
		}
	}
	return comments
}
