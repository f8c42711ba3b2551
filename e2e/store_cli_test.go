//go:build e2e && linux

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets/vault"
)

// inDesktop runs a shell script in a session bus with an unlocked keyring. Only the
// script has the test's streams, because a keyring that misses the end of its bus would
// keep them open.
func (h *home) inDesktop(script string) result {
	h.t.Helper()
	const (
		session = `exec 3>&1 4>&2; dbus-run-session -- sh -ec "$1" >/dev/null 2>&1`
		unlock  = "printf pw | gnome-keyring-daemon --unlock --components=secrets 3>&- 4>&-; exec >&3 2>&4 3>&- 4>&-; "
	)
	return h.want(0, "sh", "-ec", session, "sh", unlock+script)
}

// TestKeyringIsChosenAndRemembered: on a desktop, a new store keeps its key in the
// keyring. Without the bus, the error names that keyring and a remedy.
func TestKeyringIsChosenAndRemembered(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.env = append(h.env, "XDG_RUNTIME_DIR="+t.TempDir())
	h.login(o, "box")
	token := h.token("box")

	second := "file:" + filepath.Join(h.dir, "second")
	r := h.inDesktop("mcp-login store move --to " + second)
	if !strings.Contains(r.stderr, "its key is in the OS keyring") {
		t.Errorf("the choice of the keyring is not printed:\n%s", r.stderr)
	}
	get := []string{"token", "box", "--store", second}
	again := func(script string) {
		t.Helper()
		if r := h.inDesktop(script); strings.TrimSpace(r.stdout) != token {
			t.Errorf("%s: another token\n%s", script, r.stderr)
		}
	}
	again("mcp-login token box --store " + second)
	again("mcp-login token box --store keyring:" + filepath.Join(h.dir, "second"))

	if r := h.want(7, get...); !strings.Contains(r.stderr, "no desktop session is running here") || !strings.Contains(r.stderr, "\nhint: ") {
		t.Errorf("without the bus, the hint is missing:\n%s", r.stderr)
	}
	h.want(7, "login", "box", "--store", second)
	if r := h.want(0, "store", "status", "--store", second); !strings.Contains(r.stdout, "OS keyring") || !strings.Contains(r.stdout, "problem") {
		t.Errorf("store status without the bus:\n%s", r.stdout)
	}

	h.inDesktop("mcp-login unlock --for 10m --store " + second)
	if h.want(0, get...).stdout != token+"\n" {
		t.Error("unlocked: another token")
	}
	h.want(0, "lock", "--store", second)
	h.want(7, get...)

	h.inDesktop("mcp-login store rekey --yes --keeper key-file --store " + second)
	if h.want(0, get...).stdout != token+"\n" {
		t.Error("after the change of keeper: another token")
	}
}

// TestMoveToVault moves a credential into Vault and back.
func TestMoveToVault(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	policy := v.token(t, vault.Policy("secret", "mcp-login"))
	recordTokens(v.root, policy)
	o := startOIDC(t, settings{"interval": 1})
	h := newHome(t)
	h.env = append(h.env, "VAULT_ADDR="+v.addr, "VAULT_TOKEN="+policy)
	h.login(o, "box")
	token := h.token("box")

	const there = "vault:secret/mcp-login"
	h.want(0, "store", "move", "--to", there)
	h.want(4, "token", "box")
	if h.want(0, "token", "box", "--store", there).stdout != token+"\n" {
		t.Error("in Vault: another token")
	}
	r := h.want(0, "store", "status", "--store", there)
	for _, want := range []string{v.addr, "records      1", "administrators of Vault"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("store status does not show %q:\n%s", want, r.stdout)
		}
	}
	if r := h.want(1, "store", "move", "--store", there, "--to", "file:"); !strings.Contains(r.stderr, "protects credentials less than vault:secret/mcp-login") {
		t.Errorf("the output does not name the weaker store:\n%s", r.stderr)
	}
	h.want(0, "store", "move", "--store", there, "--to", "file:", "--yes")
	if h.token("box") != token {
		t.Error("back: another token")
	}
	h.want(4, "token", "box", "--store", there)
}

// TestStoreIsProbedBeforeSignIn: if the store is not writable, a login fails before the
// user has to approve.
func TestStoreIsProbedBeforeSignIn(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	reader := v.token(t, `path "secret/data/mcp-login/*" { capabilities = ["read"] }`)
	recordTokens(v.root, reader)
	o := startOIDC(t, settings{"interval": 1})

	h := vaultHome(t, v.addr, reader)
	if r := h.want(7, "login", "box", o.mcp()); !strings.Contains(r.stderr, `capabilities = ["create", "read", "update"`) {
		t.Errorf("the error does not name the missing line of the policy:\n%s", r.stderr)
	}
	local := newHome(t)
	r := local.want(7, "sh", "-c", `exec unshare --map-root-user --mount sh -ec 'mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec mcp-login login box "$1"' sh "$1"`, "sh", o.mcp())
	if !strings.Contains(r.stderr, "read-only file system") {
		t.Errorf("the error does not name the read-only disk:\n%s", r.stderr)
	}
	if s := o.observed(); len(s.Polls) > 0 || len(s.Resources) > 0 {
		t.Errorf("the server got requests: %+v", s)
	}
}
