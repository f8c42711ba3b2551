//go:build e2e && linux

package localstore

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
	"github.com/mcp-login/mcp-login/secrets/secretstest"
)

// The shell scripts that run inside a new session bus, with the test as "$@".
const (
	unlocked = `echo -n pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec "$@"`
	locked   = `gnome-keyring-daemon --start --components=secrets >/dev/null && exec "$@"`
	stopped  = `echo -n pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null
		for _ in {1..200}; do # until it has taken its name on the bus
			pid=$(busctl --user --json=short call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
				GetConnectionUnixProcessID s org.freedesktop.secrets 2>/dev/null | tr -dc 0-9)
			[ -n "$pid" ] && break
			sleep .05
		done
		kill -STOP "$pid"; trap 'kill -KILL "$pid"' EXIT; "$@"`
	noKeyring = `exec "$@"`
)

// desktop is a user's account, whose login keyring persists across sessions.
type desktop struct{ home, runtime string }

func newDesktop(t *testing.T) desktop {
	t.Helper()
	d := desktop{t.TempDir(), t.TempDir()}
	chmod(t, d.runtime, 0o700)
	return d
}

// session runs the test again in a desktop session that starts with a script.
func (d desktop) session(t *testing.T, begin string) {
	t.Helper()
	argv := []string{"dbus-run-session"}
	if begin == noKeyring {
		argv = append(argv, "--config-file="+bareBus(t))
	}
	cmd := rerun(t, append(argv, "--", "bash", "-c", begin, "bash")...)
	cmd.Env = []string{
		"HOME=" + d.home, "XDG_RUNTIME_DIR=" + d.runtime, "PATH=" + os.Getenv("PATH"), insideEnv + "=" + begin,
	}
	runOther(t, cmd)
	d.killProcesses(t)
}

// killProcesses kills the processes that a session left running. A keyring that the bus
// started may miss the end of the bus and wait forever.
func (d desktop) killProcesses(t *testing.T) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes {
		environ, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), "XDG_RUNTIME_DIR="+d.runtime) {
			continue // not of this session, or already gone
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have exited
		}
	}
}

// bareBus writes the configuration of a bus that does not start services.
func bareBus(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bus.conf")
	config := `<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default">
		<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestKeyring: a store with its key in a real keyring passes the contract of all
// stores, and only the keyring has the key.
func TestKeyring(t *testing.T) {
	if !inside() {
		newDesktop(t).session(t, unlocked)
		return
	}
	k := keyring.Keeper{}
	if err := k.Probe(t.Context()); err != nil {
		t.Fatalf("Probe: %v", err)
	}
	root := t.TempDir()
	secretstest.TestStore(t, func(t *testing.T) secrets.Store { return openWith(t, root, k) })

	s := openWith(t, root, k)
	put(t, s, "a", "data")
	st, err := s.Status(t.Context())
	if st.Keeper != "OS keyring" || err != nil {
		t.Errorf("Status = %+v, %v", st, err)
	}
	if n := keyringItems(t); n != 1 {
		t.Errorf("the keyring has %d items of mcp-login, want 1", n)
	}
	for _, to := range []file.Keeper{file.KeyFile{Dir: filepath.Join(root, "keys")}, k} {
		if err := s.Rekey(t.Context(), to); err != nil {
			t.Fatalf("Rekey: %v", err)
		}
		checkData(t, openWith(t, root, to), "a", "data")
	}
	if n := keyringItems(t); n != 1 {
		t.Errorf("after rekeying the keyring has %d items of mcp-login, want 1", n)
	}
	if st, err = s.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := k.Forget(t.Context(), st.Key); err != nil {
		t.Errorf("Forget: %v", err)
	}
	if err := k.Forget(t.Context(), st.Key); err != nil {
		t.Errorf("Forget again: %v", err)
	}
	if _, _, err := openWith(t, root, k).Get(t.Context(), "a"); !errors.Is(err, secrets.ErrUndecryptable) {
		t.Errorf("Get after the key was removed = %v, want ErrUndecryptable", err)
	}
}

// keyringItems counts the items of mcp-login as another program sees them.
func keyringItems(t *testing.T) int {
	t.Helper()
	out, err := exec.Command("secret-tool", "search", "--all", "service", "mcp-login").CombinedOutput()
	if err != nil {
		t.Fatalf("secret-tool: %v\n%s", err, out)
	}
	return strings.Count(string(out), "attribute.service = mcp-login")
}

// TestLockedKeyring: the keyring has the key, but no user can enter the password.
func TestLockedKeyring(t *testing.T) {
	d := desktop{os.Getenv("HOME"), os.Getenv("XDG_RUNTIME_DIR")}
	root := filepath.Join(d.home, "store")
	switch os.Getenv(insideEnv) {
	case "":
		d = newDesktop(t)
		d.session(t, unlocked)
		d.session(t, locked)
		d.session(t, unlocked)
	case unlocked:
		s := openWith(t, root, keyring.Keeper{})
		if _, err := s.Put(t.Context(), "a", []byte("data"), secrets.Absent); err != nil && !errors.Is(err, secrets.ErrConflict) {
			t.Fatal(err)
		}
		checkData(t, s, "a", "data") // also after the locked session
	case locked:
		checkNoKeyring(t, root, "failed to unlock correct collection")
	}
}

// TestNoKeyring: a bus without a keyring service.
func TestNoKeyring(t *testing.T) {
	if !inside() {
		newDesktop(t).session(t, noKeyring)
		return
	}
	checkNoKeyring(t, t.TempDir(), "no keyring program is running in this desktop session")
}

// TestHangingKeyring: a keyring that accepts calls and never answers.
func TestHangingKeyring(t *testing.T) {
	if !inside() {
		newDesktop(t).session(t, stopped)
		return
	}
	checkNoKeyring(t, t.TempDir(), "did not answer within 3s")
}

// checkNoKeyring checks that every use of the keyring fails with this reason. The
// reason differs between a call that fails at once and one that times out.
func checkNoKeyring(t *testing.T, root, reason string) {
	t.Helper()
	k := keyring.Keeper{}
	s := openWith(t, root, k)
	_, putErr := s.Put(t.Context(), "b", nil, secrets.Any)
	for method, err := range map[string]error{"keyring Probe": k.Probe(t.Context()), "Probe": s.Probe(t.Context()), "Put": putErr} {
		if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s = %v, want ErrUnavailable and %q", method, err, reason)
		}
	}
	if names, err := s.List(t.Context()); err != nil || len(names) > 1 {
		t.Errorf("List = %q, %v, but it needs no key", names, err)
	}
}
