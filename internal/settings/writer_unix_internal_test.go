//go:build unix

package settings

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// owned is a file that seems to belong to another user.
type owned struct {
	fs.FileInfo
	uid uint32
}

func (o owned) Sys() any { return &syscall.Stat_t{Uid: o.uid} }

// TestConfigOfOtherUsers: a file that other users can write is rejected, and a file of
// root cannot set a command.
func TestConfigOfOtherUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	self := uint32(os.Geteuid())
	for _, tt := range []struct {
		name, text string
		uid        uint32
		want       string // "": it is accepted
	}{
		{"own command", `passphrase-command = "true"`, self, ""},
		{"another's", `store = "file:x"`, self + 1, "belongs to user"},
		{"another's command", `passphrase-command = "true"`, self + 1, "belongs to user"},
	} {
		f, err := parse(path, []byte(tt.text), testKeys)
		if err != nil {
			t.Fatal(err)
		}
		err = f.trust(owned{info, tt.uid})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestConfigOfSystem: a file of a trusted other user cannot set a command.
func TestConfigOfSystem(t *testing.T) {
	for text, want := range map[string]string{
		`store = "file:x"`:                                      "",
		"\n" + `passphrase-command = "true"`:                    "2: passphrase-command sets a command",
		`browser-command = "true"`:                              "1: browser-command sets a command",
		"[profile.a]\n" + `client-secret-from = "command:true"`: "2: client-secret-from sets a command",
		`client-secret-from = "file:x"`:                         "",
	} {
		f, err := parse("config.toml", []byte(text), testKeys)
		if err != nil {
			t.Fatal(err)
		}
		err = f.noCommands()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
