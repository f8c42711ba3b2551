//go:build unix

package agentd

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

func openTestAudit(t *testing.T) *AuditLog {
	t.Helper()
	a, err := OpenAudit(filepath.Join(t.TempDir(), "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func (a *AuditLog) mustWrite(t *testing.T, line string) {
	t.Helper()
	if n, err := a.Write([]byte(line)); err != nil || n != len(line) {
		t.Fatalf("%q: %d bytes, %v", line, n, err)
	}
}

func (a *AuditLog) wantContent(t *testing.T, want string) {
	t.Helper()
	if text, err := os.ReadFile(a.path); err != nil || string(text) != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
}

// TestAuditMoved: after the log file was deleted or renamed, new records are
// written to a new file with the log's name.
func TestAuditMoved(t *testing.T) {
	a := openTestAudit(t)
	a.mustWrite(t, "1\n")
	if err := os.Rename(a.path, a.path+".1"); err != nil {
		t.Fatal(err)
	}
	a.mustWrite(t, "2\n")
	a.wantContent(t, "2\n")
	if err := os.Remove(a.path); err != nil {
		t.Fatal(err)
	}
	a.mustWrite(t, "3\n")
	a.wantContent(t, "3\n")
	if info, err := os.Stat(a.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Rename(a.path, a.path+".2"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write([]byte("4\n")); err == nil {
		t.Error("a record was written to a file that others can read")
	}
}

// TestAuditIncompleteLine: an incomplete line, as left by a killed process, does
// not merge with the next record.
func TestAuditIncompleteLine(t *testing.T) {
	a := openTestAudit(t)
	if err := os.WriteFile(a.path, []byte("1\nhal"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.mustWrite(t, "2\n")
	a.mustWrite(t, "3\n")
	a.wantContent(t, "1\nhal\n2\n3\n")
}

// fullDisk is the environment variable that makes the test binary a process with a
// small file size limit.
const fullDisk = "MCP_LOGIN_TEST_FULL_DISK"

// TestAuditFullDisk: a record that does not fit is removed completely.
func TestAuditFullDisk(t *testing.T) {
	if os.Getenv(fullDisk) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAuditFullDisk$")
		cmd.Env = append(os.Environ(), fullDisk+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	a := openTestAudit(t)
	a.mustWrite(t, "1234567\n")
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 12, Max: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Write([]byte("1234567\n")); err == nil || n != 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
	a.wantContent(t, "1234567\n")
	a.mustWrite(t, "123\n")
	a.wantContent(t, "1234567\n123\n")
}
