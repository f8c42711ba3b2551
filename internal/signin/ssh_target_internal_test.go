package signin

import (
	"strings"
	"testing"
)

func TestSSHTarget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ connection, user, want string }{
		{"", "ada", ""},
		{"192.0.2.7 50000 192.0.2.9 22", "ada", "ada@192.0.2.9"},
		{"192.0.2.7 50000 192.0.2.9 2222", "ada", "-p 2222 ada@192.0.2.9"},
		{"2001:db8::7 50000 2001:db8::9 22", "ada", "ada@2001:db8::9"},
		{"192.0.2.7 50000 192.0.2.9 22", "a; rm -rf", "'a; rm -rf@192.0.2.9'"},
		{"192.0.2.7 50000 192.0.2.9 22", "", "USER@192.0.2.9"},
		{"odd", "ada", ""},
	} {
		got := sshTarget(func(name string) string {
			return map[string]string{"SSH_CONNECTION": tt.connection, "USER": tt.user}[name]
		}).String()
		if got != tt.want {
			t.Errorf("sshTarget(%q, %q) = %q, want %q", tt.connection, tt.user, got, tt.want)
		}
	}
	if got := sshTarget(func(name string) string {
		return map[string]string{"SSH_CONNECTION": "127.0.0.1 5 127.0.0.1 22", "USER": "ada"}[name]
	}).String(); strings.Contains(got, "127.0.0.1") || !strings.HasPrefix(got, "ada@") {
		t.Errorf("at a tunnel's end: %q", got)
	}
}
