package envexport_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/envexport"
)

func write(f envexport.Format, vars ...envexport.Var) (string, error) {
	var b strings.Builder
	err := envexport.Write(&b, f, vars)
	return b.String(), err
}

// TestWrite: Checklist 44: the environment variable from which a stdio server reads
// its credential.
func TestWrite(t *testing.T) {
	vars := []envexport.Var{{"MCP_A_TOKEN", "it's"}, {"MCP_A_URL", "https://h/?a=b&c=$d"}}
	for _, tt := range []struct {
		format envexport.Format
		want   string
	}{
		{envexport.Sh, "export MCP_A_TOKEN='it'\\''s'\nexport MCP_A_URL='https://h/?a=b&c=$d'\n"},
		{envexport.Fish, "set -gx MCP_A_TOKEN 'it\\'s'\nset -gx MCP_A_URL 'https://h/?a=b&c=$d'\n"},
		{envexport.PowerShell, "$env:MCP_A_TOKEN = 'it''s'\n$env:MCP_A_URL = 'https://h/?a=b&c=$d'\n"},
		{envexport.Cmd, "set \"MCP_A_TOKEN=it's\"\r\nset \"MCP_A_URL=https://h/?a=b&c=$d\"\r\n"},
		{envexport.Nushell, "$env.MCP_A_TOKEN = \"it's\"\n$env.MCP_A_URL = \"https://h/?a=b&c=$d\"\n"},
		{envexport.Elvish, "set-env MCP_A_TOKEN 'it''s'\nset-env MCP_A_URL 'https://h/?a=b&c=$d'\n"},
		{envexport.Tcsh, "setenv MCP_A_TOKEN 'it'\\''s';\nsetenv MCP_A_URL 'https://h/?a=b&c=$d';\n"},
		{envexport.Docker, "MCP_A_TOKEN=it's\nMCP_A_URL=https://h/?a=b&c=$d\n"},
		{envexport.Systemd, "MCP_A_TOKEN=\"it's\"\nMCP_A_URL=\"https://h/?a=b&c=\\$d\"\n"},
		{envexport.JSON, `{"MCP_A_TOKEN":"it's","MCP_A_URL":"https://h/?a=b&c=$d"}` + "\n"},
	} {
		t.Run(string(tt.format), func(t *testing.T) {
			got, err := write(tt.format, vars...)
			if err != nil || got != tt.want {
				t.Errorf("Write = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestUnset(t *testing.T) {
	for _, tt := range []struct {
		format envexport.Format
		want   string
	}{
		{envexport.Sh, "unset A\nunset B\n"},
		{envexport.Fish, "set -eg A\nset -eg B\n"},
		{envexport.PowerShell, "$env:A = $null\n$env:B = $null\n"},
		{envexport.Cmd, "set \"A=\"\r\nset \"B=\"\r\n"},
		{envexport.Nushell, "hide-env --ignore-errors A\nhide-env --ignore-errors B\n"},
		{envexport.Elvish, "unset-env A\nunset-env B\n"},
		{envexport.Tcsh, "unsetenv A;\nunsetenv B;\n"},
		{envexport.JSON, "{\"A\":null,\"B\":null}\n"},
	} {
		t.Run(string(tt.format), func(t *testing.T) {
			var b strings.Builder
			if err := envexport.Unset(&b, tt.format, []string{"A", "B"}); err != nil || b.String() != tt.want {
				t.Errorf("Unset = %q, %v, want %q", b.String(), err, tt.want)
			}
		})
	}
}

// wantRejected checks that err is an *Error with the format and name, and that
// nothing was written.
func wantRejected(t *testing.T, got string, err error, f envexport.Format, name string) {
	t.Helper()
	e, ok := errors.AsType[*envexport.Error](err)
	if !ok || e.Format != f || e.Name != name || e.Reason == "" {
		t.Errorf("error %v, want *Error of %s and %q", err, f, name)
	}
	if got != "" {
		t.Errorf("wrote %q despite the error", got)
	}
}

func TestWriteRejectsInEveryFormat(t *testing.T) {
	good := envexport.Var{Name: "GOOD", Value: "x"}
	for _, f := range envexport.Formats() {
		for _, name := range []string{"", "1A", "A-B", "A B", "A;id", "A=B", "Ä", "A\n"} {
			got, err := write(f, good, envexport.Var{Name: name, Value: "x"})
			wantRejected(t, got, err, f, name)
		}
		for _, value := range []string{"a\x00b", "a\xffb"} {
			got, err := write(f, good, envexport.Var{Name: "A", Value: value})
			wantRejected(t, got, err, f, "A")
		}
		got, err := write(f, good, good)
		wantRejected(t, got, err, f, "GOOD")
	}
}

func TestWriteRejectsByFormat(t *testing.T) {
	for _, tt := range []struct {
		format envexport.Format
		values []string
	}{
		{envexport.PowerShell, []string{""}},
		{envexport.Cmd, []string{"", "a\"b", "%PATH%", "a!b", "a\nb", "ä", "a\tb", strings.Repeat("x", 8001)}},
		{envexport.Tcsh, []string{"a\nb", "a\rb"}},
		{envexport.Dotenv, []string{"a'b", `a\b`, "a\nb", "a\rb"}},
		{envexport.Docker, []string{"a\nb", "a\r", strings.Repeat("x", 1<<15+1)}},
		{envexport.Systemd, []string{"a\rb", "\x1b[0m", "\x7f"}},
	} {
		t.Run(string(tt.format), func(t *testing.T) {
			for _, value := range tt.values {
				got, err := write(tt.format, envexport.Var{Name: "A", Value: value})
				wantRejected(t, got, err, tt.format, "A")
				if value != "" && err != nil && strings.Contains(err.Error(), value) {
					t.Errorf("the error %q contains the value", err)
				}
			}
		})
	}
}

func TestUnsetRejects(t *testing.T) {
	for _, f := range []envexport.Format{envexport.Dotenv, envexport.Docker, envexport.Systemd} {
		var b strings.Builder
		wantRejected(t, b.String(), envexport.Unset(&b, f, []string{"A"}), f, "A")
	}
	var b strings.Builder
	err := envexport.Unset(&b, envexport.Sh, []string{"A", "B;id"})
	wantRejected(t, b.String(), err, envexport.Sh, "B;id")
}

func TestUnknownFormat(t *testing.T) {
	if got, err := write("perl"); err == nil || got != "" {
		t.Errorf("Write in an unknown format = %q, %v", got, err)
	}
	if err := envexport.Unset(&strings.Builder{}, "", nil); err == nil {
		t.Error("Unset in an unknown format: no error")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriterErrorIsReturned(t *testing.T) {
	if err := envexport.Write(brokenWriter{}, envexport.Sh, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write to a closed writer = %v", err)
	}
}

// FuzzWrite: accepted values are read back unchanged in every format.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"", "Bearer abc.DEF-_~+/==", "'", "''", `\'`, `\\`, "$HOME `id` $(id)", "!!", `\!`, "a\nb", "a\r\n",
		"%PATH%", `"`, "\t \x7f\x1b[31m", "äöü €𝄞", "\u2018x\u2019", "#", " lead and trail ", "a=b;c&d|e>f", "<b>&amp;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, format := range envexport.Formats() {
			text, err := write(format, envexport.Var{Name: "X", Value: value})
			if _, rejected := errors.AsType[*envexport.Error](err); rejected {
				continue
			}
			if err != nil || strings.Contains(value, "\x00") || !utf8.ValidString(value) {
				t.Fatalf("%s: Write(%q) = %v", format, value, err)
			}
			if got, err := unquote(format, text); err != nil || got != value {
				t.Errorf("%s: %q was parsed back as %q, %v from %q", format, value, got, err, text)
			}
		}
	})
}

func ExampleWrite() {
	vars := []envexport.Var{
		{Name: "MCP_NOTION_AUTHORIZATION", Value: "Bearer s3cr3t"},
		{Name: "MCP_NOTION_URL", Value: "https://mcp.notion.com/mcp"},
	}
	if err := envexport.Write(os.Stdout, envexport.Sh, vars); err != nil {
		fmt.Println(err)
	}
	// Output:
	// export MCP_NOTION_AUTHORIZATION='Bearer s3cr3t'
	// export MCP_NOTION_URL='https://mcp.notion.com/mcp'
}
