package mcpremote

import (
	"slices"
	"strings"
	"testing"
)

// TestShown: only the secrets of a command line are hidden.
func TestShown(t *testing.T) {
	for _, tt := range []struct{ is, want string }{
		{"npx mcp-remote " + server + " 3334 --debug", ""},
		{"mcp-remote --header X-Key:${KEY}", ""},
		{"mcp-remote --header-from X-Key=env:KEY --static-oauth-client-info @file", ""},
		{"mcp-remote --header X-Key:s3cret --debug", "mcp-remote --header X-Key:~[redacted] --debug"},
		{"mcp-remote --header=X-Key:s3cret", "mcp-remote --header=X-Key:~[redacted]"},
		{"mcp-remote --header Authorization:Bearer_${A}s3cret", "mcp-remote --header Authorization:~[redacted]"},
		{"mcp-remote --header s3cret", "mcp-remote --header [redacted]"},
		{`mcp-remote --static-oauth-client-info {"client_secret":"s3cret"} x`, "mcp-remote --static-oauth-client-info [redacted] x"},
		{`mcp-remote --static-oauth-client-metadata={"software_statement":"s3cret"}`, "mcp-remote --static-oauth-client-metadata=[redacted]"},
		{"mcp-remote https://me:s3cret@x.example:8/mcp/ 3334", "mcp-remote https://[redacted]@x.example:8/mcp/ 3334"},
		{"mcp-remote https://s3cret@x.example", "mcp-remote https://[redacted]@x.example"},
		{"mcp-remote " + server + "?a=s3cret&b=s3c=ret", "mcp-remote " + server + "?a=[redacted]&b=[redacted]"},
		{"mcp-remote " + server + "?s3cret", "mcp-remote " + server + "?[redacted]"},
		{"mcp-remote " + server + "/@scope/x", ""},
		{"mcp-remote --header", ""},
	} {
		is := strings.Fields(tt.is)
		want := is
		if tt.want != "" {
			want = strings.Fields(tt.want)
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "~", " ")
			}
		}
		if got := Shown(is); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tt.is, got, want)
		}
	}
}

// TestNoValue: an option without a value does not accept a value that negates it.
func TestNoValue(t *testing.T) {
	none := func(string) (bool, bool) { return false, false }
	for _, word := range []string{"--disable-resource-parameter=false", "--allow-http=false", "--device-code=0"} {
		if got, err := Adapt([]string{server, word}, none); err == nil || !strings.Contains(err.Error(), "has no value") {
			t.Errorf("%s: %q, %v", word, got, err)
		}
	}
}
