package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/suggest"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/urfave/cli/v2"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeIsShort limits the length of README.md.
func TestReadmeIsShort(t *testing.T) {
	if n := strings.Count(readme(t), "\n"); n > 250 {
		t.Errorf("README.md has %d lines, want at most 250", n)
	}
}

// TestReadmeCommands: the table lists every command with its usage line.
func TestReadmeCommands(t *testing.T) {
	e, _, _ := testEnv(t)
	var want []string
	for _, l := range leaves(e) {
		usage := strings.TrimSpace(l.name() + " " + l.ArgsUsage)
		want = append(want, strings.Replace(usage, "NAME CMD", "NAME -- CMD", 1))
	}
	var got []string
	section := regexp.MustCompile(`(?s)## Commands.*?\n## `).FindString(readme(t))
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(section, -1) {
		got = append(got, strings.ReplaceAll(m[1], `\|`, "|")) // a vertical bar is escaped in a table
	}
	if !slices.Equal(got, want) {
		t.Errorf("README.md has %q,\nthe program %q", got, want)
	}
}

// TestReadmeShells: the command for each shell is the suggested one, which the
// end-to-end tests run in that shell.
func TestReadmeShells(t *testing.T) {
	section := regexp.MustCompile(`(?s)### In a shell.*?\n### `).FindString(readme(t))
	rows := regexp.MustCompile("(?m)^\\| (\\w+) \\| `(.*)` \\|$").FindAllStringSubmatch(section, -1)
	if len(rows) < 4 {
		t.Fatalf("only %d shells in %s", len(rows), section)
	}
	for _, row := range rows {
		line := strings.ReplaceAll(row[2], `\|`, "|")
		if want := suggest.EvalIn(strings.ToLower(row[1]), suggest.MCPLogin("env", "notion")); line != want {
			t.Errorf("%s: %q, want %q", row[1], line, want)
		}
	}
}

// TestReadmeGo: the Go block is the package's runnable example.
func TestReadmeGo(t *testing.T) {
	example, err := os.ReadFile("../../example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(readme(t))
	if block == nil {
		t.Fatal("README.md has no Go block")
	}
	indented := regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(block[1], "\t$1")
	if !strings.Contains(string(example), indented) {
		t.Errorf("missing in example_test.go:\n%s", indented)
	}
}

// TestActionReadme: the tables of the GitHub action have its inputs, with their
// defaults, and its outputs.
func TestActionReadme(t *testing.T) {
	const dir = "../../examples/github-actions/"
	action, err := os.ReadFile(dir + "action.yml")
	if err != nil {
		t.Fatal(err)
	}
	about, err := os.ReadFile(dir + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z-]+):\n    description: .*\n(?:    (?:default|required): (.*)\n)?`).FindAllStringSubmatch(string(action), -1) {
		want = append(want, m[1]+"="+strings.NewReplacer("''", "", "true", "(required)").Replace(m[2]))
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|(?: (?:`?([^`|]*?)`? )?\\|)? [^|]+ \\|$").FindAllStringSubmatch(string(about), -1) {
		got = append(got, m[1]+"="+m[2])
	}
	if len(want) < 10 || !slices.Equal(got, want) {
		t.Errorf("README.md has %q,\naction.yml %q", got, want)
	}
}

// TestDocsCommands: every command and flag in README.md and the documents exists,
// and README.md links each document for users.
func TestDocsCommands(t *testing.T) {
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	e, _, _ := testEnv(t)
	lines := 0
	for _, path := range append(documents, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		code := strings.Join(regexp.MustCompile("(?s)```.*?```|`[^`]+`").FindAllString(string(text), -1), "\n")
		for _, m := range regexp.MustCompile("(?m)(?:^[ \t]*|`|\\$ |run: |\\$\\()mcp-login ([a-z][a-z-]*)([^#`\n]*)").FindAllStringSubmatch(code, -1) {
			lines++
			for _, problem := range documented(e, m[1], m[2]) {
				t.Errorf("%s: %s: %s", filepath.Base(path), problem, m[0])
			}
		}
	}
	if lines < 60 {
		t.Errorf("only %d lines were found", lines)
	}
	if !strings.Contains(readme(t), "(docs/ci.md)") {
		t.Error("README.md does not link docs/ci.md")
	}
}

// documented returns an error about a command line in the documents, if any. name
// is the command, rest its arguments.
func documented(e *call, name, rest string) (faults []string) {
	command := commandAt(allCommands(e), []string{name})
	if command == nil {
		if name == "help" {
			return nil
		}
		return []string{"there is no command " + name}
	}
	words := strings.Fields(rest)
	if len(words) > 0 && len(command.Subcommands) > 0 {
		below := commandAt(command.Subcommands, words[:1])
		switch {
		case below != nil:
			command = below
		case len(command.Flags) == 0:
			return []string{"there is no command " + name + " " + words[0]}
		}
	}
	flags, _, _ := strings.Cut(rest, " -- ")
	flags, _, _ = strings.Cut(flags, " | ")
	for _, flag := range regexp.MustCompile(`(?:^|\s)--([a-z-]+)`).FindAllStringSubmatch(flags, -1) {
		known := slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return f.Names()[0] == flag[1] })
		if !known && flag[1] != "help" && flag[1] != commandline.HelpAll {
			faults = append(faults, name+" has no flag --"+flag[1])
		}
	}
	return faults
}
