//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// completionHome returns a home with a file and a store of four names, which a list
// does not open.
func completionHome(t *testing.T) *home {
	t.Helper()
	h := newHome(t)
	store := filepath.Join(h.dir, "data", "mcp-login")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		filepath.Join(h.dir, "certificate.pem"), filepath.Join(store, "record-github"), filepath.Join(store, "record-notes"),
		filepath.Join(store, "record-notion"), filepath.Join(store, "record-odd%20name"),
	} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// TestCompletionTyped presses Tab in the real shells and checks their command lines.
func TestCompletionTyped(t *testing.T) {
	for name, setup := range map[string]string{
		"bash": `bind 'set enable-bracketed-paste off'; bind -x '"\C-g": printf "<%s>\n" "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0'; eval "$(mcp-login completion bash)"`,
		"zsh":  `autoload -Uz compinit; compinit -u -D; show() { print -r -- "<$BUFFER>"; BUFFER= }; zle -N show; bindkey '^G' show; eval "$(mcp-login completion zsh)"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := completionHome(t)
			s := h.openShell(name)
			s.enter(setup)
			s.awaitPrompt()
			shown := regexp.MustCompile(`<(mcp-login[^>]*)>`)
			for i, tt := range []struct{ typed, want string }{
				{"mcp-login statu", "mcp-login status "},
				{"mcp-login env gi", "mcp-login env github "},
				{"mcp-login env github no", "mcp-login env github not"},
				{"mcp-login env odd", `mcp-login env odd\ name `},
				{"mcp-login env --unse", "mcp-login env --unset "},
				{"mcp-login env --format fi", "mcp-login env --format fish "},
				{"mcp-login env --format=fi", "mcp-login env --format=fish "},
				{"mcp-login env --var TOK", "mcp-login env --var TOKEN="},
				{"mcp-login login x --flow browser,de", "mcp-login login x --flow browser,device "},
				{"mcp-login --store fi", "mcp-login --store file:"},
				{"mcp-login --store va", "mcp-login --store vault:"},
				{"mcp-login login x --client-secret-from file:cert", "mcp-login login x --client-secret-from file:certificate.pem "},
				{"mcp-login --ca-cert cert", "mcp-login --ca-cert certificate.pem "},
				{"mcp-login --ca-cert=cert", "mcp-login --ca-cert=certificate.pem "},
				{"mcp-login exec github -- sha256s", "mcp-login exec github -- sha256sum "},
				{"mcp-login exec github cat cert", "mcp-login exec github cat certificate.pem "},
				{"mcp-login hook zs", "mcp-login hook zsh "},
				{"mcp-login discover cert", "mcp-login discover cert"},
			} {
				s.paste(tt.typed + "\t\x07")
				got := s.waitForMatches(i+1, shown)[i][1]
				if strings.TrimSuffix(got, " ") != strings.TrimSuffix(tt.want, " ") || !strings.Contains(tt.typed, "cert") && got != tt.want {
					t.Errorf("%q becomes %q, want %q", tt.typed, got, tt.want)
				}
			}
		})
	}
}

// TestCompletionOffered checks the candidates of fish.
func TestCompletionOffered(t *testing.T) {
	h := completionHome(t)
	for _, tt := range []struct{ typed, want string }{
		{"mcp-login stat", "status"},
		{"mcp-login env ", "github notes notion odd_name"},
		{"mcp-login env github no", "notes notion"},
		{"mcp-login env --unse", "--unset"},
		{"mcp-login env --format f", "fish"},
		{"mcp-login env --format=f", "--format=fish"},
		{"mcp-login env --var TOK", "TOKEN="},
		{"mcp-login login x --flow browser,de", "browser,device"},
		{"mcp-login --store ", "file: keyring: vault:"},
		{"mcp-login --store file:dat", "file:data/"},
		{"mcp-login --ca-cert cert", "certificate.pem"},
		{"mcp-login --ca-cert=cert", "--ca-cert=certificate.pem"},
		{"mcp-login --profile-dir dat", "data/"},
		{"mcp-login exec github -- sha256s", "sha256sum"},
		{"mcp-login exec github cat cert", "certificate.pem"},
		{"mcp-login discover cert", ""},
	} {
		cmd := exec.Command("fish", "--no-config", "-c", `mcp-login completion fish | source; complete -C $argv[1]`, "--", tt.typed)
		cmd.Dir, cmd.Env = h.dir, append(h.env, "LC_ALL=C.UTF-8")
		var got []string
		for line := range strings.Lines(output(t, cmd)) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			got = append(got, strings.ReplaceAll(word, " ", "_"))
		}
		if !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%q: %q, want %s", tt.typed, got, tt.want)
		}
	}
}

// TestCompletionAutoloads puts the script where zsh loads it automatically.
func TestCompletionAutoloads(t *testing.T) {
	h := completionHome(t)
	folder := filepath.Join(h.dir, "functions")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "_mcp-login"), []byte(h.want(0, "completion", "zsh").stdout), 0o644); err != nil {
		t.Fatal(err)
	}
	s := h.openShell("zsh")
	s.enter(`fpath=($HOME/functions $fpath); autoload -Uz compinit; compinit -u -D; show() { print -r -- "<$BUFFER>"; BUFFER= }; zle -N show; bindkey '^G' show`)
	s.awaitPrompt()
	for i := range 2 { // the first Tab loads it
		s.paste("mcp-login env gi\t\x07")
		if got := s.waitForMatches(i+1, regexp.MustCompile(`<(mcp-login[^>]*)>`))[i][1]; got != "mcp-login env github " {
			t.Errorf("the line becomes %q", got)
		}
	}
}
