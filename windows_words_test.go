package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unixWords are words with no meaning for users of Windows.
var unixWords = regexp.MustCompile(`\b(chmod|chown|umask|sudo|root)\b|\bmode (0|%0)|\bexport [A-Z]|eval "\$\(|=\$\(|\$[A-Z]|(^|\s)~/|/tmp/|/dev/(tty|null)`)

// unixTexts may contain such words in code for Windows. Each entry is the prefix of
// a text, with the reason why it is not shown on Windows, or why it is correct
// there.
var unixTexts = map[string]string{
	"mcp-login agent --forward-socket":           "the agent is not available on Windows",
	"next: export MCP_LOGIN_AGENT_SOCK":          "the agent is not available on Windows",
	"then: export MCP_LOGIN_AGENT_SOCK":          "the agent is not available on Windows",
	"eval \"$(mcp-login env NAME --ci":           "the step of a CI job has this shell",
	"eval \"$(mcp-login hook bash)\"":            "bash, zsh and fish have hooks, also on Windows",
	"~/.bashrc, ~/.zshrc after compinit":         "these shells read these files on Windows too",
	"$XDG_DATA_HOME/mcp-login":                   "the manual page is for Unix",
	"the default store of credentials":           "the manual page is for Unix",
	"$XDG_STATE_HOME/mcp-login/keys":             "the manual page is for Unix",
	"its key, if the keeper is key-file":         "the manual page is for Unix",
	"or, for every connection, in ~/.ssh/config": "ssh reads this file on Windows too",
	"\"$SHELL\" -lc '":                           "a shell on the remote host runs it",
	"$XDG_CONFIG_HOME/mcp-login":                 "the manual page is for Unix",
	"the configuration; ~/.config":               "the manual page is for Unix",
	"use the store of root":                      "files have no user ids on Windows",
	"sudo":                                       "files have no user ids on Windows",
	"sudo kept HOME":                             "files have no user ids on Windows",
	"%s in your folder belongs":                  "files have no user ids on Windows",
	"HOME=%s belongs to user %d":                 "files have no user ids on Windows",
	"%s is open to others (mode %04o)":           "modes are not checked on Windows",
	"root":                                       "chosen by the system's name",
}

// writers are folders that write text for shells, and those of tests.
var writers = []string{"suggest", "suggesttest", "secretstest", "terminaltest", "oauthtest"}

// exempt reports whether a text may contain words of Unix, and by which entry.
func exempt(text string) (entry string, ok bool) {
	for entry := range unixTexts {
		if strings.HasPrefix(text, entry) && len(entry) > 10 || text == entry {
			return entry, true
		}
	}
	return "", false
}

// TestWindowsWords: the code for Windows contains no words of Unix. Move different
// texts to files such as x_unix.go, and commands to internal/suggest.
func TestWindowsWords(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{range .GoFiles}}{{$.Dir}}/{{.}} {{end}}`, "./cmd/...", "./internal/...", "./secrets/...", "./agent", "./ci", "./oauth", "./flows/...", ".")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, path := range strings.Fields(string(out)) {
		if slices.Contains(writers, filepath.Base(filepath.Dir(path))) {
			continue
		}
		for _, text := range literals(t, path) {
			if !unixWords.MatchString(text) {
				continue
			}
			if entry, ok := exempt(text); ok {
				used[entry] = true
				continue
			}
			t.Errorf("%s: %q", filepath.Base(path), text)
		}
	}
	for entry := range unixTexts {
		if !used[entry] {
			t.Errorf("no code has a text %q", entry)
		}
	}
}

// literals returns the strings of a Go file, except import paths.
func literals(t *testing.T, path string) (texts []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		return true
	})
	return slices.Compact(texts)
}
