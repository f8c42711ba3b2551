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

// banned are archaic words and phrases, and the plain English for each.
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

// bannedShown are words and phrases that the texts of the program must not contain:
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
	{`(?:^|[^.\w])log(?:ged|ging)? (?:in|out)\b`, "sign in, sign out"},
	{`\b(?:this|the|an?) (?:log(?:in|out)|incomplete logins?)\b`, "sign-in, sign-out"},
	{`\bexclude each other\b|\bcontradict each other\b`, "cannot be used together"},
	{`\bgoes? together\b|\b(?:do|does) not go with\b`, "must be used together, cannot be used with"},
	{`\bis there already\b`, "already exists"},
	{`\b(?:is|are) known here\b`, "this version supports"},
	{`\bas asked\b|\basked and not\b`, "as requested"},
	{`\b(?-i:id token|client id|user id)\b`, "ID"},
	{`\b(?:was|were) given\b`, "is set, is required, is missing"},
	{`\bwho runs this\b`, "but you are user N"},
	{`\bspeaks?\b`, "uses, supports"},
	{`\bwants? (?:an?|the)\b`, "requires, requests"},
	{`\bto be asked\b|\bto ask at\b`, "prompt, terminal"},
	{`\btaken up\b|\btakes? up (?:again|the)\b`, "resume"},
	{`\bunder way\b`, "in progress, in flight"},
	{`\bin its reach\b|\bwithin reach\b`, "can read"},
	{`\bas well as it can\b|\bas good as\b`, "best effort, as long as"},
	{`\bmay be repeated\b|\brepeat it for\b`, "(repeatable)"},
	{`\bnot looked at\b|\blooked at\b`, "skipped, checked"},
	{`\bmore than asked\b|\bthan (?:was|were) asked\b`, "requested"},
	{`\bafter all\b`, "nothing"},
	{`\bcame to nothing\b|\bcomes to nothing\b`, "fails"},
	{`\b(?:has|have) ended\b.*\btoken\b|\btoken.*\b(?:has|have) ended\b`, "has expired"},
	{`\bthe person at\b|\ba person must\b`, "you, is required"},
	{`\bis in use already\b|\bhas \S+ already\b`, "already"},
}

// allowedTexts are texts that must stay: contracts, and names of other projects.
var allowedTexts = regexp.MustCompile(`"handed out"|handed_out|no more than|while you are not logged in|while you are logged in|\*/\* wants`)

// TestProse checks that all texts of the sources and documents are plain English.
func TestProse(t *testing.T) {
	files, texts, patterns, strict := 0, 0, compiled(banned), compiled(bannedShown)
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
		files++
		checkProse(t, path, patterns)
		if filepath.Ext(path) == ".md" && path != "CHANGELOG.md" {
			checkProse(t, path, strict)
		}
		if filepath.Ext(path) == ".go" && !strings.Contains(path, "test/") {
			texts += checkShown(t, path, strict)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files were checked", files)
	}
	if texts < 1000 {
		t.Errorf("only %d texts were checked", texts)
	}
}

// isProse reports whether users or contributors read the file.
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
	text := allowedTexts.ReplaceAllString(string(data), "")
	for i, line := range strings.Split(text, "\n") {
		for _, b := range patterns {
			if found := b.pattern.FindString(line); found != "" {
				t.Errorf("%s:%d: %q: say %s", path, i+1, found, b.instead)
			}
		}
	}
}

// checkShown checks the texts of a source file: string literals of several words.
// It returns how many there are.
func checkShown(t *testing.T, path string, patterns []bannedPattern) (texts int) {
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
		texts++
		for _, b := range patterns {
			if found := b.pattern.FindString(allowedTexts.ReplaceAllString(literal.Value, "")); found != "" {
				t.Errorf("%s: %q: say %s", fset.Position(literal.Pos()), found, b.instead)
			}
		}
		return true
	})
	return texts
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
