package envexport_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/envexport"
)

func TestParseFormat(t *testing.T) {
	for _, f := range envexport.Formats() {
		if got, err := envexport.ParseFormat(string(f)); err != nil || got != f {
			t.Errorf("ParseFormat(%q) = %q, %v", f, got, err)
		}
	}
	for name, want := range map[string]envexport.Format{"bash": envexport.Sh, "ZSH": envexport.Sh, "pwsh": envexport.PowerShell, "csh": envexport.Tcsh, "nu": envexport.Nushell} {
		if got, err := envexport.ParseFormat(name); err != nil || got != want {
			t.Errorf("ParseFormat(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"", "perl", "-bash", "auto"} {
		if got, err := envexport.ParseFormat(name); err == nil {
			t.Errorf("ParseFormat(%q) = %q, want an error", name, got)
		}
	}
}

func TestPrefix(t *testing.T) {
	for profile, want := range map[string]string{
		"notion":      "MCP_NOTION",
		"my.server-2": "MCP_MY_SERVER_2",
		"2nd":         "MCP_2ND",
		"a b/c":       "MCP_A_B_C",
		"käse":        "MCP_K_SE",
		"ﬁ":           "MCP__",
	} {
		got := envexport.Prefix(profile)
		if got != want || !envexport.ValidName(got) {
			t.Errorf("Prefix(%q) = %q, want %q", profile, got, want)
		}
	}
}

func TestCollision(t *testing.T) {
	for _, tt := range []struct {
		profile string
		others  []string
		want    string
		found   bool
	}{
		{"a-b", []string{"a", "a-b", "b"}, "", false},
		{"a-b", []string{"a-b", "a_b"}, "a_b", true},
		{"A", []string{"a"}, "a", true},
		{"a", nil, "", false},
	} {
		if got, found := envexport.Collision(tt.profile, tt.others); got != tt.want || found != tt.found {
			t.Errorf("Collision(%q, %q) = %q, %v, want %q, %v", tt.profile, tt.others, got, found, tt.want, tt.found)
		}
	}
}

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		goos, parent string
		env          map[string]string
		want         envexport.Format
	}{
		{"linux", "bash", nil, envexport.Sh},
		{"linux", "-zsh", nil, envexport.Sh},
		{"linux", "/usr/bin/fish", map[string]string{"SHELL": "/bin/bash"}, envexport.Fish},
		{"linux", "nu", map[string]string{"SHELL": "/bin/bash"}, envexport.Nushell},
		{"linux", "elvish", nil, envexport.Elvish},
		{"darwin", "-tcsh", nil, envexport.Tcsh},
		{"linux", "pwsh", nil, envexport.PowerShell},
		{"linux", "bash", map[string]string{"PSModulePath": "/x", "NU_VERSION": "0.115"}, envexport.Sh},
		{"linux", "make", map[string]string{"SHELL": "/usr/bin/fish"}, envexport.Fish},
		{"linux", "make", map[string]string{"SHELL": "/usr/bin/perl"}, envexport.Sh},
		{"linux", "", nil, envexport.Sh},
		{"linux", "", map[string]string{"PSModulePath": "/opt/x"}, envexport.PowerShell},
		{"linux", "", map[string]string{"NU_VERSION": "0.115.1"}, envexport.Nushell},
		{"windows", `C:\Windows\System32\cmd.exe`, map[string]string{"PSModulePath": `C:\x`}, envexport.Cmd},
		{"windows", "PowerShell.EXE", nil, envexport.PowerShell},
		{"windows", "explorer.exe", map[string]string{"PSModulePath": `C:\x`}, envexport.PowerShell},
		{"windows", "", map[string]string{"SHELL": "/usr/bin/bash", "PSModulePath": `C:\x`}, envexport.Sh},
	} {
		got, why := envexport.Detect(tt.goos, tt.parent, func(key string) string { return tt.env[key] })
		if got != tt.want || why == "" {
			t.Errorf("Detect(%q, %q, %v) = %q, %q, want %q", tt.goos, tt.parent, tt.env, got, why, tt.want)
		}
	}
}
