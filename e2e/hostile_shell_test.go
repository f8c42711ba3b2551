//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Names that a record in a shared store, a configuration or an agent of another host
// can have. A shell that evaluated one would run a command, or the name is a word of
// the completion protocol.
var (
	hostileNames = []string{
		"a[$(touch PWNED)0]", "psvar[0$(touch PWNED)]", "$(touch PWNED)", "`touch PWNED`", "a;touch PWNED", "|touch PWNED",
		"a b", "'", `"`, `a\b`, "a:b", "=ls", "~root", "%self", "a!b", "{a,b}", "*", "f", "d", "c", "w",
	}
	refusedNames = []string{
		":command a[$(touch PWNED)0]", ":files", ":folders", "-x", "--force", "a\nc\t1", "a\tb", "\x1b[31m", "\u009b31m", "a\u202eb",
	}
)

// completionSetup enables completion in each shell.
var completionSetup = map[string]string{
	"bash": `bind 'set enable-bracketed-paste off'; eval "$(mcp-login completion bash)"`,
	"zsh":  `autoload -Uz compinit; compinit -u -D; eval "$(mcp-login completion zsh)"`,
	"fish": `mcp-login completion fish | source`,
}

// checkNothingRan fails if a hostile text was run.
func (h *home) checkNothingRan(when string) {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "PWNED" {
			h.t.Errorf("%s: a name was evaluated", when)
			return os.Remove(path)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// recordFile returns the file name of a record.
func recordFile(name string) string {
	file := "record-"
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			file += string(c)
		} else {
			file += fmt.Sprintf("%%%02x", c)
		}
	}
	return file
}

// nameSources create a store, configuration or agent that has one name, and return the
// environment variable that selects it.
var nameSources = map[string]func(h *home, i int, name string) string{
	"store": func(h *home, i int, name string) string {
		dir := filepath.Join(h.dir, "stores", strconv.Itoa(i))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			h.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, recordFile(name)), nil, 0o600); err != nil {
			h.t.Fatal(err)
		}
		return "MCP_LOGIN_PROFILE_DIR=" + dir
	},
	"configuration": func(h *home, i int, name string) string {
		path := filepath.Join(h.dir, fmt.Sprintf("config%d.toml", i))
		key, err := json.Marshal(name) // these names are valid as basic strings of TOML
		if err != nil {
			h.t.Fatal(err)
		}
		text := "[profile." + strings.ReplaceAll(string(key), "\u009b", `\u009b`) + "]\nflow = \"device\"\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			h.t.Fatal(err)
		}
		return "MCP_LOGIN_CONFIG=" + path
	},
	"agent": func(h *home, i int, name string) string {
		path := filepath.Join(h.dir, fmt.Sprintf("agent%d.sock", i))
		ln, err := net.Listen("unix", path)
		if err != nil {
			h.t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"profiles": []string{name}}) // fails if the client has disconnected
		})}
		go func() { _ = server.Serve(ln) }() // until Close
		h.t.Cleanup(func() { _ = server.Close() })
		return "MCP_LOGIN_AGENT_SOCK=" + path
	},
}

// TestHostileNamesAreCompletedAsWords presses Tab where one name is a candidate, and
// Enter: the program gets exactly that name, and nothing is run.
func TestHostileNamesAreCompletedAsWords(t *testing.T) {
	for shell, setup := range completionSetup {
		for place, have := range nameSources {
			t.Run(shell+" "+place, func(t *testing.T) {
				t.Parallel()
				h := newHome(t)
				if err := os.Chmod(h.dir, 0o700); err != nil {
					t.Fatal(err)
				}
				calls := h.countCalls()
				s := h.openShell(shell)
				s.enter(setup)
				for i, name := range slices.Concat(hostileNames, refusedNames) {
					s.enter("export " + have(h, i, name))
					s.paste("mcp-login token \t\r")
					s.enter("true")
					h.checkNothingRan(fmt.Sprintf("after %q was completed", name))
					want := "token " + name
					if slices.Contains(refusedNames, name) || shell == "fish" && name[0] == '~' {
						want = "token"
					}
					all := calls()
					if got := strings.TrimSuffix(all[len(all)-1], " "); got != want {
						t.Errorf("with the name %q: mcp-login %s, want %s", name, got, want)
					}
				}
			})
		}
	}
}

// TestHostileFilesAreCompletedAsWords does the same where the shell completes files,
// and for the command line of another program.
func TestHostileFilesAreCompletedAsWords(t *testing.T) {
	for shell, setup := range completionSetup {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			s := h.openShell(shell)
			s.enter(setup)
			for _, name := range slices.Concat(hostileNames, refusedNames) {
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				s.enter("cd " + dir)
				for _, line := range []string{"mcp-login token a --ca-cert ", "mcp-login token a --store file:", "mcp-login exec a -- true ", "mcp-login exec a true "} {
					s.paste(line + "\t\r")
					s.enter("true")
				}
				if _, err := os.Stat(filepath.Join(dir, "PWNED")); err == nil {
					t.Errorf("the file %q was evaluated", name)
				}
			}
		})
	}
}

// TestHooksRunNoVariables: variables that a shell inherits are data to the hook, and do
// not prevent a refresh.
func TestHooksRunNoVariables(t *testing.T) {
	for shell, line := range hookLine {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			calls := h.countCalls()
			for i, name := range hostileNames {
				h.env = append(h.env, fmt.Sprintf("MCP_V%d_EXPIRES_AT=%s", i, name))
			}
			for i, hostile := range []string{"a[$(touch PWNED)0]", "psvar[0$(touch PWNED)]", "$(touch PWNED)", "08", "99999999999999999999"} {
				due := fmt.Sprintf("MCP_DUE%d_EXPIRES_AT", i)
				h.env = append(h.env, due+"=2001-01-01T00:00:00Z", "_mcp_login_wait_"+due+"="+hostile, "__mcp_login_wait_"+due+"="+hostile)
			}
			h.env = append(h.env, "EPOCHSECONDS=psvar[0$(touch PWNED)]", "now=a[$(touch PWNED)]", "soon=a[$(touch PWNED)]", "name=x", "wait=x", "next=x")
			s := h.openShell(shell)
			s.enter(line)
			for range 2 {
				s.enter("true")
			}
			h.checkNothingRan("after a prompt")
			want := []string{"hook " + shell}
			for i := range 5 {
				want = append(want, fmt.Sprintf("hook %s --due MCP_DUE%d_EXPIRES_AT", shell, i))
			}
			got := calls()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("calls %q, want %q", got, want)
			}
		})
	}
}
