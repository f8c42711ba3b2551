package mcplogin_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/checklist.md")

// TestChecklist checks docs/checklist.md against the tests: each client requirement
// of the MCP authorization specification has a test that cites its number.
func TestChecklist(t *testing.T) {
	proofs := map[int][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		return collect(path, proofs)
	})
	if err != nil {
		t.Fatal(err)
	}
	table, err := checklist(proofs)
	if err != nil {
		t.Fatal(err)
	}
	const page = "docs/checklist.md"
	if *update {
		if err := os.WriteFile(page, table, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, table) {
		t.Errorf("%s is out of date: run go test -run TestChecklist -update .", page)
	}
}

// mention matches "checklist 8", "Checklist 1, 4 and 5", "checklist 29 to 32".
var mention = regexp.MustCompile(`(?i)checklist ((?:\d+[a-z]?(?:, | and | to )?)+)`)

// collect records, for each number, the test functions of a file that cite it.
func collect(path string, proofs map[int][]string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		begin := f.Pos()
		if f.Doc != nil {
			begin = f.Doc.Pos()
		}
		body := text[set.Position(begin).Offset:set.Position(f.End()).Offset]
		for _, m := range mention.FindAllSubmatch(body, -1) {
			for _, n := range numbers(string(m[1])) {
				name := filepath.ToSlash(filepath.Dir(path)) + " " + f.Name.Name
				if !slices.Contains(proofs[n], name) {
					proofs[n] = append(proofs[n], name)
				}
			}
		}
	}
	return nil
}

// numbers parses "1, 4 and 5" and "29 to 32".
func numbers(text string) (all []int) {
	var last int
	upTo := false
	for word := range strings.FieldsSeq(strings.ReplaceAll(text, ",", " ")) {
		n, err := strconv.Atoi(strings.TrimRight(word, "abc"))
		switch {
		case word == "to":
			upTo = true
			continue
		case err != nil:
			continue
		}
		for i := last + 1; upTo && i < n; i++ {
			all = append(all, i)
		}
		all, last, upTo = append(all, n), n, false
	}
	return all
}

// checklist returns the page: every requirement with its tests.
func checklist(proofs map[int][]string) ([]byte, error) {
	lines, err := os.ReadFile("docs/checklist.tsv")
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	page.WriteString("# Requirements of the MCP specification\n\n" +
		"The requirements for clients in the authorization specification, version 2026-07-28.\n" +
		"This page is generated from [checklist.tsv](checklist.tsv) and the tests that cite each\n" +
		"number, and a test checks it. `make conformance` runs the official conformance suite.\n\n" +
		"| No. | Requirement | Status | Tests |\n|---|---|---|---|\n")
	open := maps.Clone(proofs)
	for line := range strings.Lines(string(lines)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		n, err := strconv.Atoi(fields[0])
		if err != nil {
			return nil, fmt.Errorf("docs/checklist.tsv: %q has no number", line)
		}
		tests := proofs[n]
		slices.Sort(tests)
		delete(open, n)
		switch {
		case fields[1] == "-":
			fmt.Fprintf(&page, "| %d | %s | does not apply | |\n", n, fields[2])
			continue
		case len(tests) == 0:
			return nil, fmt.Errorf("no test cites checklist %d: %s", n, fields[1])
		}
		for i, name := range tests {
			dir, test, _ := strings.Cut(name, " ")
			tests[i] = fmt.Sprintf("`%s` in `%s`", test, strings.Replace(dir, ".", "mcplogin", 1))
		}
		fmt.Fprintf(&page, "| %d | %s | tested | %s |\n", n, fields[1], strings.Join(tests, "<br>"))
	}
	for n := range open {
		return nil, fmt.Errorf("a test cites checklist %d, which is not in docs/checklist.tsv", n)
	}
	return page.Bytes(), nil
}
