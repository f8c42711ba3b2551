package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// TestBrowserURL: CVE-2025-6514 and similar attacks.
func TestBrowserURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"https://as.test/authorize?state=a%20b&x=1", "https://as.test/authorize?state=a%20b&x=1"},
		{"http://127.0.0.1:99/a", "http://127.0.0.1:99/a"},
		{"http://[::1]:99/a?b=c", "http://[::1]:99/a?b=c"},
		{"https://as.test/a'b$(id);`x`?q=\"$(calc)\"&y=a;b|c", "https://as.test/a%27b%24%28id%29%3B%60x%60?q=%22%24%28calc%29%22&y=a%3Bb%7Cc"},
		{"https://as.test?x=\\..\\..\\", "https://as.test?x=%5C..%5C..%5C"},
		{"http://as.test/a", ""},
		{"file:///etc/passwd", ""},
		{"javascript:alert(1)", ""},
		{"--new-window=https://as.test", ""},
		{"-https://as.test", ""},
		{"https://user:pw@as.test/", ""},
		{"https://$(calc.exe)/", ""},
		{"https://as.test/\x1b[31m", ""},
		{"https://as.test/a b", ""},
		{"https://as.test/?a b", ""},
		{"https://as.test/?a\nb", ""},
		{"https://as.test/?a#b", ""},
		{"https://as.test/?" + strings.Repeat("a", maxLink), ""},
		{"", ""},
	} {
		got, err := browserURL(tt.in)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("browserURL(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
		if strings.ContainsAny(got, "'\"`$();|\\<> \n\x1b") {
			t.Errorf("browserURL(%q) = %q contains shell syntax", tt.in, got)
		}
	}
}

func TestSplitCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"firefox", []string{"firefox"}},
		{"  firefox   --new-window\t%s ", []string{"firefox", "--new-window", "%s"}},
		{`'/opt/my browser/run' "--title=a 'b'" c\ d`, []string{"/opt/my browser/run", "--title=a 'b'", "c d"}},
		{`a"b c"d '' "" e`, []string{"ab cd", "", "", "e"}},
		{`a "x\"y\\z\n"`, []string{"a", `x"y\z\n`}},
		{`a $HOME ; rm * | b > c & $(d)`, []string{"a", "$HOME", ";", "rm", "*", "|", "b", ">", "c", "&", "$(d)"}},
		{`a 'b`, nil}, {`a "b`, nil}, {`a \`, nil}, {"", nil}, {"  ", nil}, {"''", nil},
	} {
		got, err := splitCommand(tt.in)
		if !slices.Equal(got, tt.want) || (err == nil) != (tt.want != nil) {
			t.Errorf("splitCommand(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

// FuzzSplitCommand: a word in single quotes is returned unchanged.
func FuzzSplitCommand(f *testing.F) {
	f.Add("it's", "a b")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a == "" {
			t.Skip("empty command")
		}
		q := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
		got, err := splitCommand(q(a) + " " + q(b))
		if err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("splitCommand of %q, %q = %q, %v", a, b, got, err)
		}
	})
}

func TestBrowserCandidates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		b    Browser
		env  string
		want string
	}{
		{"Linux", Browser{goos: "linux"}, "", "xdg-open|gio open|x-www-browser"},
		{"Linux, BROWSER", Browser{goos: "linux"}, "my 'b c' %s:w3m", "my,b c,%s|w3m|xdg-open|gio open|x-www-browser"},
		{"WSL", Browser{goos: "linux", wsl: true}, "", "wslview|/mnt/c/Windows/System32/rundll32.exe url.dll,FileProtocolHandler|rundll32.exe url.dll,FileProtocolHandler|xdg-open|gio open|x-www-browser"},
		{"macOS", Browser{goos: "darwin"}, "", "/usr/bin/open"},
		{"only a command", Browser{goos: "linux", command: []string{"x"}}, "w3m", "x"},
	} {
		tt.b.getenv = func(name string) string { return map[string]string{"BROWSER": tt.env}[name] }
		var got []string
		for _, argv := range tt.b.candidates() {
			sep := " "
			if slices.ContainsFunc(argv, func(s string) bool { return strings.Contains(s, " ") }) {
				sep = ","
			}
			got = append(got, strings.Join(argv, sep))
		}
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, strings.Join(got, "|"), tt.want)
		}
	}
}

// untilRemoved makes a script run until the test removes it.
const untilRemoved = `while [ -e "$0" ]; do sleep .1; done`

// script writes a program that records its arguments, one a line, and an
// environment variable.
func script(t *testing.T, then string) (path, record string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell script as program")
	}
	record = filepath.Join(t.TempDir(), "args")
	path = filepath.Join(t.TempDir(), "browser")
	text := "#!/bin/sh\nprintf '%s\\n' \"$@\" \"$HOME\" >'" + record + "'\n" + then + "\n"
	// A separate process writes it: a file that this process has open for writing
	// would be inherited by other child processes, and could not be executed
	// meanwhile (https://go.dev/issue/22315).
	write := exec.Command("sh", "-c", `cat >"$0" && chmod 700 "$0"`, path)
	write.Stdin = strings.NewReader(text)
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path, record
}

func TestBrowserIsStartedByArguments(t *testing.T) {
	t.Parallel()
	const link = "https://as.test/a?b=$(id)&c=d"
	const safe = "https://as.test/a?b=%24%28id%29&c=d"
	for _, tt := range []struct {
		name, then string
		args       []string
		settle     time.Duration
		want       string
		err        error
	}{
		{"appended", "exit 0", nil, time.Hour, safe, nil},
		{"placeholder", "exit 0", []string{"--app=%s", "--new"}, time.Hour, "--app=" + safe + "\n--new", nil},
		{"stays open", untilRemoved, nil, time.Millisecond, safe, nil},
		{"fails", "exit 3", nil, time.Hour, safe, errNoBrowser},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path, record := script(t, tt.then)
			b := &Browser{
				goos: runtime.GOOS, getenv: os.Getenv, command: append([]string{path}, tt.args...),
				environ: []string{"PATH=" + os.Getenv("PATH")},
				settle:  tt.settle,
			}
			opened := make(chan error, 1)
			go func() { opened <- b.Open(t.Context(), link) }()
			if err := await.Receive(t, "the end of Open", opened); !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Fatalf("Open = %v, want %v", err, tt.err)
			}
			await.True(t, "the program recorded its arguments", func() bool {
				got, _ := os.ReadFile(record) // not yet written
				return strings.Count(string(got), "\n") == strings.Count(tt.want, "\n")+2
			})
			if got, err := os.ReadFile(record); err != nil || strings.TrimRight(string(got), "\n") != tt.want {
				t.Errorf("arguments %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestBrowserNextCandidate(t *testing.T) {
	t.Parallel()
	failing, _ := script(t, "exit 1")
	working, record := script(t, "exit 0")
	env := func(name string) string {
		return map[string]string{"BROWSER": "/nonexistent/b:" + failing + ":" + working}[name]
	}
	b := &Browser{goos: "linux", getenv: env, environ: os.Environ(), settle: time.Hour}
	if err := b.Open(t.Context(), "https://as.test/"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(record); err != nil {
		t.Error("the third program was not tried")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	slow, record := script(t, untilRemoved)
	b = &Browser{goos: "linux", getenv: env, command: []string{slow}, environ: os.Environ(), settle: time.Hour}
	if err := b.Open(ctx, "https://as.test/"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open after the end: %v", err)
	}
	await.True(t, "the program created its last file", func() bool {
		_, err := os.Stat(record)
		return err == nil
	})
}
