package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bannedComments are nonstandard words and phrases in comments, and the standard
// term for each.
var bannedComments = []struct{ pattern, instead string }{
	{`\b(?:some|any|every)body\b`, "another process, the user, anyone"},
	{`\b(?:a|the|no) person\b`, "the user"},
	{`\btells?\b|\btold\b`, "report, print, distinguish"},
	{`\bhears? (?:of|how|which|why|what|that)\b`, "is called with"},
	{`\bunder way\b`, "in progress, in flight"},
	{`\bgoes? on\b`, "continue"},
	{`\bfor good\b`, "permanently"},
	{`\ball the same\b`, "anyway"},
	{`\blooked at\b`, "checked, read"},
	{`\bbut for\b`, "except"},
	{`\b(?-i:speaks?)\b`, "use, support"},
	{`\bstrangers?\b`, "an attacker, another user"},
	{`\b(?:whence|hence|upon|thus|whereby|nevertheless)\b`, "so, from"},
	{`\b(?:we|our|ours|ourselves)\b`, "this program, the client"},
	{`\bfor want of\b`, "because ... is missing"},
	{`\bas well as that can\b|\bwith best effort\b`, "It is best effort."},
	{`\b(?-i:id token|client id|key id)s?\b`, "ID"},
	{`\b(?:behaviour|honour\w*|normalis\w+|cancelled|defence|colours?|travell\w+)\b`, "the American spelling"},
	{`, since (?:a|an|it|its|one|some|this|that|no) `, "because"},
	{`\bin (?:the )?place of (?:this|that|it|ours)\b`, "instead"},
	{`\blives? (?:and dies|for|on)\b`, "is valid for"},
	{`\bthe wire types?\b|\bis the wire\b`, "the types of the API, the messages"},
}

// TestComments checks that comments use the standard terms.
func TestComments(t *testing.T) {
	patterns, checked := compiled(bannedComments), 0
	for _, path := range slices.Concat(sources(t), tests(t)) {
		fset, f := parsedFile(t, path)
		for _, group := range f.Comments {
			checked++
			checkWords(t, fset.Position(group.Pos()), group.Text(), patterns)
		}
	}
	if checked < 4500 {
		t.Errorf("only %d comments were checked", checked)
	}
}

// TestTextsOfTests checks that the comments, failure messages and subtests of tests
// and the comments of scripts are plain English, and that the comment of a test
// begins with its name.
func TestTextsOfTests(t *testing.T) {
	patterns, checked := compiled(slices.Concat(banned, bannedComments, bannedInOthers)), 0
	for _, path := range tests(t) {
		fset, f := parsedFile(t, path)
		for _, group := range f.Comments {
			checkWords(t, fset.Position(group.Pos()), group.Text(), patterns)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if testName.MatchString(n.Name.Name) && n.Doc != nil && !strings.HasPrefix(n.Doc.Text(), n.Name.Name) {
					t.Errorf("%s: the comment does not begin with %s", fset.Position(n.Pos()), n.Name.Name)
				}
			case *ast.CallExpr:
				for _, text := range reported(n) {
					checked++
					checkWords(t, fset.Position(text.Pos()), text.Value, patterns)
				}
			}
			return true
		})
	}
	if checked < 2000 {
		t.Errorf("only %d messages were checked", checked)
	}
	checkScripts(t, patterns)
}

// checkScripts checks the comments of the scripts of TestScripts.
func checkScripts(t *testing.T, patterns []bannedPattern) {
	t.Helper()
	scripts, err := filepath.Glob("cmd/mcp-login/testdata/script/*.txtar")
	if err != nil || len(scripts) < 50 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, path := range scripts {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(data), "\n-- ")
		for i, line := range strings.Split(script, "\n") {
			if comment, ok := strings.CutPrefix(line, "# "); ok {
				checkWords(t, token.Position{Filename: path, Line: i + 1}, comment, patterns)
			}
		}
	}
}

// testName matches the names of tests. The comment of an example is about what it
// shows.
var testName = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-Z]`)

// reported returns the texts that a call reports if a test fails: of a method of
// testing.T, or of a function that waits for a state.
func reported(call *ast.CallExpr) (texts []*ast.BasicLit) {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf", "Skip", "Skipf", "Run", "True", "Receive", "WaitUntil"}, s.Sel.Name) {
		return nil
	}
	for _, arg := range call.Args {
		if text, ok := arg.(*ast.BasicLit); ok && text.Kind == token.STRING {
			texts = append(texts, text)
		}
	}
	return texts
}

func parsedFile(t *testing.T, path string) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return fset, f
}

// checkWords checks a text at a position.
func checkWords(t *testing.T, at token.Position, text string, patterns []bannedPattern) {
	t.Helper()
	text = allowedTexts.ReplaceAllString(strings.Join(strings.Fields(text), " "), "")
	for _, b := range patterns {
		if found := b.pattern.FindString(text); found != "" {
			t.Errorf("%s: %q: say %s", at, found, b.instead)
		}
	}
}
