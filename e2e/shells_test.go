//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/cli/pkg/kvfile"

	"github.com/mcp-login/mcp-login/envexport"
)

// TestShellsReadBack reads each format with the real programs that use it, as a user
// would, and compares the environment of a child process byte by byte.
func TestShellsReadBack(t *testing.T) {
	nu := strings.TrimSpace(output(t, exec.Command("./provide", "nushell")))
	const sh = `eval "$(cat "$TEXT")"; env -0`
	for _, tt := range []struct {
		name   string
		format envexport.Format
		argv   []string
	}{
		{"bash", envexport.Sh, []string{"bash", "-c", sh}},
		{"bash-posix", envexport.Sh, []string{"bash", "--posix", "-c", sh}},
		{"bash-source", envexport.Sh, []string{"bash", "-c", `. "$TEXT"; env -0`}},
		{"dash", envexport.Sh, []string{"dash", "-c", sh}},
		{"zsh", envexport.Sh, []string{"zsh", "-f", "-c", sh}},
		{"zsh-rcquotes", envexport.Sh, []string{"zsh", "-f", "-o", "rcquotes", "-c", sh}},
		{"ksh93", envexport.Sh, []string{"ksh93", "-c", sh}},
		{"mksh", envexport.Sh, []string{"mksh", "-c", sh}},
		{"yash", envexport.Sh, []string{"yash", "-c", sh}},
		{"busybox", envexport.Sh, []string{"busybox", "sh", "-c", sh}},
		{"fish", envexport.Fish, []string{"fish", "--no-config", "-c", `cat $TEXT | source; env -0`}},
		{"fish-eval", envexport.Fish, []string{"fish", "--no-config", "-c", `eval (cat $TEXT | string collect); env -0`}},
		{"tcsh", envexport.Tcsh, []string{"tcsh", "-f", "-c", "eval \"`cat $TEXT:q`\"; env -0"}},
		{"tcsh-source", envexport.Tcsh, []string{"tcsh", "-f", "-c", "source $TEXT:q; env -0"}},
		{"elvish", envexport.Elvish, []string{"elvish", "-norc", "-c", `eval (slurp < $E:TEXT); env -0`}},
		{"nushell", envexport.Nushell, []string{nu, "--no-config-file", "-c", `source text; ^env -0`}},
		{"nushell-json", envexport.JSON, []string{nu, "--no-config-file", "-c", `open --raw text | from json | load-env; ^env -0`}},
		{"dotenv-node", envexport.Dotenv, []string{"node", "--env-file=text", "-e", `for (const k in process.env) process.stdout.write(k + "=" + process.env[k] + "\0")`}},
		{"dotenv-bash", envexport.Dotenv, []string{"bash", "-c", `set -a; . ./text; env -0`}},
		{"systemd-bash", envexport.Systemd, []string{"bash", "-c", `set -a; . ./text; env -0`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			vars := acceptedVariables(t, tt.format)
			cmd := exec.Command(tt.argv[0], tt.argv[1:]...)
			cmd.Dir = t.TempDir()
			text := filepath.Join(cmd.Dir, "text")
			writeText(t, text, tt.format, vars)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "LC_ALL=C.UTF-8", "TEXT=" + text}
			got := map[string]string{}
			for entry := range strings.SplitSeq(output(t, cmd), "\x00") {
				name, value, _ := strings.Cut(entry, "=")
				got[name] = value
			}
			compareVariables(t, vars, got)
		})
	}
}

// TestShellsUnset unsets a variable that is set and one that never was.
func TestShellsUnset(t *testing.T) {
	nu := strings.TrimSpace(output(t, exec.Command("./provide", "nushell")))
	for _, tt := range []struct {
		format envexport.Format
		argv   []string
	}{
		{envexport.Sh, []string{"dash", "-e", "-c", `. ./text; env`}},
		{envexport.Fish, []string{"fish", "--no-config", "-c", `source text; env`}},
		{envexport.Tcsh, []string{"tcsh", "-f", "-c", "source text; env"}},
		{envexport.Elvish, []string{"elvish", "-norc", "-c", `eval (slurp < text); env`}},
		{envexport.Nushell, []string{nu, "--no-config-file", "-c", `source text; ^env`}},
	} {
		t.Run(string(tt.format), func(t *testing.T) {
			cmd := exec.Command(tt.argv[0], tt.argv[1:]...)
			cmd.Dir = t.TempDir()
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "OTHER=kept"}
			text := filepath.Join(cmd.Dir, "text")
			writeText(t, text, tt.format, []envexport.Var{{Name: "GONE", Value: "x"}})
			var unset bytes.Buffer
			if err := envexport.Unset(&unset, tt.format, []string{"GONE", "NEVER"}); err != nil {
				t.Fatal(err)
			}
			set, err := os.ReadFile(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(text, append(set, unset.Bytes()...), 0o644); err != nil {
				t.Fatal(err)
			}
			got := output(t, cmd)
			if strings.Contains(got, "GONE") || !strings.Contains(got, "OTHER=kept") {
				t.Errorf("environment after unset:\n%s", got)
			}
		})
	}
}

// TestDockerReadsBack reads with the Go package that docker run --env-file uses.
func TestDockerReadsBack(t *testing.T) {
	vars := acceptedVariables(t, envexport.Docker)
	text := filepath.Join(t.TempDir(), "text")
	writeText(t, text, envexport.Docker, vars)
	lines, err := kvfile.Parse(text, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		got[name] = value
	}
	compareVariables(t, vars, got)
}

// TestSystemdReadsBack reads with systemd's parser of environment files, which also
// reads os-release, and writes each value to a file. A container has no service
// manager, but it can run systemd-tmpfiles.
func TestSystemdReadsBack(t *testing.T) {
	vars := acceptedVariables(t, envexport.Systemd)[:100]
	got := map[string]string{}
	for _, v := range vars {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
			t.Fatal(err)
		}
		writeText(t, filepath.Join(root, "etc/os-release"), envexport.Systemd, []envexport.Var{{Name: "VERSION_ID", Value: v.Value}})
		conf := filepath.Join(root, "x.conf")
		if err := os.WriteFile(conf, []byte("f+ /value 0644 - - - %w\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		output(t, exec.Command("systemd-tmpfiles", "--create", "--root="+root, conf))
		value, err := os.ReadFile(filepath.Join(root, "value"))
		if err != nil {
			t.Fatal(err)
		}
		got[v.Name] = string(value)
	}
	compareVariables(t, vars, got)
}

// TestJSONReadsBack reads with a JSON parser other than Go's.
func TestJSONReadsBack(t *testing.T) {
	vars := acceptedVariables(t, envexport.JSON)
	text := filepath.Join(t.TempDir(), "text")
	writeText(t, text, envexport.JSON, vars)
	cmd := exec.Command("node", "-e", `for (const [k, v] of Object.entries(JSON.parse(require("fs").readFileSync(process.argv[1])))) process.stdout.write(k + "=" + v + "\0")`, text)
	got := map[string]string{}
	for entry := range strings.SplitSeq(output(t, cmd), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		got[name] = value
	}
	compareVariables(t, vars, got)
}

// acceptedVariables returns variables with difficult values that the format accepts:
// fixed ones, and random ones of characters that shells and parsers treat specially.
func acceptedVariables(t *testing.T, f envexport.Format) []envexport.Var {
	t.Helper()
	values := []string{
		"plain", "Bearer abc.DEF-_~+/==", "https://mcp.example/mcp?a=b&c=d#e", "2026-11-23T10:00:00Z", "", " ", "  a  b  ", "'", "''", "a'b'c", `"`, `""`, `\`, `\\`, `\'`, `\"`, `\n`,
		"$HOME", "${HOME}", "$(id)", "`id`", "!", "!!", `\!`, `!\!`, "!'!", "*", "?", "[a]", "~", "~root", "{a,b}", "#", "a #b", ";", "&", "|", "<", ">", "%PATH%", "%%", "^", "=", "a=b",
		"-n", "--", "\t", "a\tb", "a\nb", "\n", "a\n\nb\n", "a\r\nb", "\r", "\x01\x7f\x1b[31m", "äöü", "€", "𝄞", "\u2018x\u2019", "\u00a0", "\u200b\u202e", "\ufeff", "\uf600\uf6ff", "ﬀ",
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	pieces := []rune(" \t\n\r'\"`\\$!%^&*(){}[]<>|;:,.?/~#@=+-_aZ09\x01\x1b\x7fäß€漢𝄞\u2018\u2019")
	for range 200 {
		var b strings.Builder
		for range r.IntN(24) {
			b.WriteRune(pieces[r.IntN(len(pieces))])
		}
		values = append(values, b.String())
	}
	for range 200 { // without the characters that the stricter formats reject
		var b strings.Builder
		for range r.IntN(24) {
			b.WriteByte("'\"`\\$!%^&*() {}[]<>|;:,.?/~#@=+-_aZ09"[r.IntN(37)])
		}
		values = append(values, b.String())
	}
	var vars []envexport.Var
	for _, value := range values {
		v := envexport.Var{Name: fmt.Sprintf("V%d", len(vars)), Value: value}
		err := envexport.Write(&bytes.Buffer{}, f, []envexport.Var{v})
		if _, refused := errors.AsType[*envexport.Error](err); refused {
			continue
		}
		vars = append(vars, v)
	}
	if len(vars) < 100 {
		t.Fatalf("only %d of %d values are accepted", len(vars), len(values))
	}
	return vars
}

func writeText(t *testing.T, path string, f envexport.Format, vars []envexport.Var) {
	t.Helper()
	var text bytes.Buffer
	if err := envexport.Write(&text, f, vars); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func compareVariables(t *testing.T, vars []envexport.Var, got map[string]string) {
	t.Helper()
	for _, v := range vars {
		if value, ok := got[v.Name]; !ok || value != v.Value {
			t.Errorf("%q was read as %q (%v)", v.Value, value, ok)
		}
	}
}

// output runs a command that must succeed and print nothing to standard error except
// messages of e2e/provide.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	return string(out)
}

// TestFormatAuto: the program detects the shell that started it.
func TestFormatAuto(t *testing.T) {
	nu := strings.TrimSpace(output(t, exec.Command("./provide", "nushell")))
	h := newHome(t)
	for _, tt := range []struct {
		format envexport.Format
		argv   []string
	}{
		{envexport.Sh, []string{"bash", "-c"}},
		{envexport.Sh, []string{"dash", "-c"}},
		{envexport.Sh, []string{"zsh", "-f", "-c"}},
		{envexport.Sh, []string{"ksh93", "-c"}},
		{envexport.Sh, []string{"mksh", "-c"}},
		{envexport.Sh, []string{"yash", "-c"}},
		{envexport.Sh, []string{"busybox", "sh", "-c"}},
		{envexport.Fish, []string{"fish", "--no-config", "-c"}},
		{envexport.Tcsh, []string{"tcsh", "-f", "-c"}},
		{envexport.Elvish, []string{"elvish", "-norc", "-c"}},
		{envexport.Nushell, []string{nu, "--no-config-file", "-c"}},
	} {
		cmd := exec.Command(tt.argv[0], append(tt.argv[1:], "mcp-login env one two --unset --only TOKEN --format auto; echo")...) // a shell may replace itself with a single command
		cmd.Env, cmd.Dir = h.env, h.dir
		var stderr, want bytes.Buffer
		cmd.Stderr = &stderr
		got, err := cmd.Output()
		if err := envexport.Unset(&want, tt.format, []string{"MCP_ONE_TOKEN", "MCP_TWO_TOKEN"}); err != nil {
			t.Fatal(err)
		}
		if err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(want.String()) || !strings.HasPrefix(stderr.String(), "format "+string(tt.format)+": the parent process is ") {
			t.Errorf("%s: %v, %q, %s", tt.argv[0], err, got, &stderr)
		}
	}
}
