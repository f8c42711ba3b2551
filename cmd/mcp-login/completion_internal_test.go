package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/shellscript"
	"github.com/mcp-login/mcp-login/internal/suggest/suggesttest"
)

// completions returns the candidates for the last of words, without their
// descriptions: a word, or in brackets the type that the shell completes.
func completions(t *testing.T, e *call, words ...string) []string {
	t.Helper()
	out := e.out.(interface{ String() string })
	words[len(words)-1] = "." + words[len(words)-1]
	if code := run(t.Context(), append([]string{completeName}, words...), &e.env); code != exit.Done {
		t.Errorf("%q: exit code %d", words, code)
	}
	var found []string
	for line := range strings.Lines(out.String()) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if fields[0] == "w" && len(fields) == 3 {
			found = append(found, fields[1])
		} else {
			found = append(found, "("+strings.Join(fields, "")+")")
		}
	}
	return found
}

// storedNames writes invalid records to a store's folder: listing does not open
// them.
func storedNames(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, recordFile(name)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// recordFile returns the file of a record.
func recordFile(name string) string {
	file := "record-"
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("_-", c) >= 0 {
			file += string(c)
		} else {
			file += fmt.Sprintf("%%%02x", c)
		}
	}
	return file
}

func TestComplete(t *testing.T) {
	otherStore := filepath.Join(t.TempDir(), "store")
	storedNames(t, otherStore, "other")
	for _, tt := range []struct{ line, want string }{
		{"hea", "headers"},
		{"log", "login logout"},
		{"no-such-command ", ""},
		{"env ", "github notes notion"},
		{"env no", "notes notion"},
		{"env notion no", "notes"},
		{"env -- no", "notes notion"},
		{"token notion ", ""},
		{"login ", "github notes notion"},
		{"login notion ", ""}, // a URL
		{"discover ", "github notes notion"},
		{"--timeout 3s env --unset git", "github"},
		{"env --store " + otherStore + " ", ""}, // unknown kind of store
		{"env --store file:" + otherStore + " ", "other"},
		{"--profile-dir=" + otherStore + " exec ", "other"},
		{"env --unse", "--unset"},
		{"env notion --unse", "--unset"},
		{"env -- --unse", ""},
		{"--log-", "--log-level --log-format"},
		{"test --hel", "--help --help-all"},
		{"env --format f", "fish"},
		{"env --format=f", "--format=fish"},
		{"env --format=fish no", "notes notion"},
		{"env --timeout ", ""},
		{"login x --flow de", "device"},
		{"login x --flow device,pa", "device,paste"},
		{"login x --flow device,de", ""},
		{"env x --only TOKEN,U", "TOKEN,URL"},
		{"env x --var AU", "AUTHORIZATION="},
		{"--store v", "vault:"},
		{"--store file:x", "(f)"},
		{"--profile-dir ", "(d)"},
		{"--ca-cert=x", "(f)"},
		{"login x --client-secret-from e", "env:"},
		{"client-config x --for cod", "codex"},
		{"unlock --for ", ""}, // a duration
		{"store mo", "move"},
		{"store move no", "notes notion"},
		{"store move --to k", "keyring:"},
		{"config sh", "show"},
		{"exec ", "github notes notion"},
		{"exec notion ", "(c2)"},
		{"exec notion -- ", "(c3)"},
		{"exec notion --log-format te", "text"},
		{"exec --prefix X notion -- ls --al", "(c5)"},
		{"exec notion --log-f", "--log-format"},
		{"exec notion --also ", "github notes"},
		{"exec notion --also github --also=no", "--also=notes"},
		{"exec --also g", "github"},
		{"exec notion ls --also ", "(c2)"},
		{"completion ", "bash zsh fish powershell"},
		{"hook ", "bash zsh fish"},
	} {
		e, _, stderr := testEnv(t)
		storedNames(t, filepath.Join(e.getenv("HOME"), ".local/share/mcp-login"), "github", "notes", "notion")
		want := strings.Fields(tt.want)
		got := completions(t, e, strings.Split(tt.line, " ")...)
		if !slices.Equal(got, want) || stderr.Len() > 0 {
			t.Errorf("%s: %q, want %q\n%s", tt.line, got, want, stderr)
		}
	}
}

// TestCompletedNamesAreWords: a profile name is completed as a single word, or not
// at all if it looks like a directive or a flag, or controls a terminal.
func TestCompletedNamesAreWords(t *testing.T) {
	e, out, _ := testEnv(t)
	storedNames(t, filepath.Join(e.getenv("HOME"), ".local/share/mcp-login"), suggesttest.HostileNames()...)
	var want []string
	for _, name := range suggesttest.HostileNames() {
		if name[0] != ':' && name[0] != '-' && printable.Is(name) {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	if got := completions(t, e, "env", ""); !slices.Equal(got, want) {
		t.Errorf("offered %q\nwant    %q\n%q", got, want, out)
	}
}

// TestCompleteEveryFlag: completion offers every flag that the parser accepts.
func TestCompleteEveryFlag(t *testing.T) {
	e, _, _ := testEnv(t)
	for _, l := range leaves(e) {
		e, _, _ := testEnv(t)
		got := completions(t, e, append(slices.Clone(l.path), "--")...)
		for _, f := range l.Flags {
			if !slices.Contains(got, "--"+f.Names()[0]) {
				t.Errorf("%s: --%s is not completed", l.name(), f.Names()[0])
			}
		}
	}
}

// TestCompletionSendsNoRequest: names in a remote store are not looked up during
// completion.
func TestCompletionSendsNoRequest(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	t.Setenv("VAULT_ADDR", "http://"+ln.Addr().String())
	t.Setenv("VAULT_TOKEN", "x")
	e, _, _ := testEnv(t)
	if got := completions(t, e, "--store", "vault:secret/x", "env", ""); len(got) > 0 {
		t.Errorf("names from a Vault that does not respond: %q", got)
	}
	if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if conn, err := ln.Accept(); err == nil {
		conn.Close()
		t.Error("a request was sent")
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range append(shellscript.CompletionShells(), "pwsh") {
		e, out, stderr := testEnv(t)
		if code := run(t.Context(), []string{"completion", shell}, &e.env); code != exit.Done || stderr.Len() > 0 || !strings.Contains(out.String(), completeName) {
			t.Errorf("completion %s: exit code %d, %q, %s", shell, code, out, stderr)
		}
	}
	e, out, _ := testEnv(t)
	if code := run(t.Context(), []string{"completion", "tcsh"}, &e.env); code != exit.BadUsage || out.Len() > 0 {
		t.Errorf("completion tcsh: exit code %d, %q", code, out)
	}
}
