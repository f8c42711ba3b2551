package stores

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

// Report describes a store. As JSON it is a contract: fields are added, never
// changed.
type Report struct {
	Store      string   `json:"store"`
	Path       string   `json:"path,omitempty"`
	Mode       string   `json:"mode,omitempty"`
	Address    string   `json:"address,omitempty"`
	Keeper     string   `json:"keeper,omitempty"`
	KeyPath    string   `json:"key_path,omitempty"`
	Records    int      `json:"records"`
	Unlocked   bool     `json:"unlocked,omitempty"` // the kernel remembers the key
	Locked     bool     `json:"locked,omitempty"`   // commands need a passphrase that only the user knows
	Rekeying   bool     `json:"rekeying,omitempty"`
	Problem    string   `json:"problem,omitempty"` // why the key is unavailable
	SafeFrom   []string `json:"safe_from,omitempty"`
	ReadableBy []string `json:"readable_by,omitempty"`
}

// Inspect describes a store. It never prompts.
func (o Opener) Inspect(ctx context.Context, at Location) (Report, error) {
	dir, files, err := o.Folder(at)
	if err != nil {
		return Report{}, err
	}
	if files {
		return o.inspectFiles(ctx, dir, at.Keeper)
	}
	return o.inspectVault(ctx, at)
}

func (o Opener) inspectFiles(ctx context.Context, dir, keeper string) (Report, error) {
	s, err := o.openFiles(ctx, dir, keeper, false)
	if err != nil {
		return Report{}, err
	}
	st, err := s.Status(ctx)
	if err != nil {
		return Report{}, err
	}
	r := Report{Store: "file:" + dir, Path: st.Dir, Keeper: st.Keeper, Records: st.Records, Rekeying: st.Rekeying}
	if st.Mode != 0 && runtime.GOOS != "windows" { // Windows has no file modes
		r.Mode = fmt.Sprintf("%04o", st.Mode.Perm())
	}
	if st.Keeper == "" {
		return r, nil
	}
	r.Unlocked = file.KernelCache{}.Remembers(st.Key)
	if st.Keeper == (file.KeyFile{}).Kind() {
		keys, err := o.Dirs.Writable(o.Dirs.Keys())
		if err != nil {
			return r, err
		}
		r.KeyPath = file.KeyFile{Dir: keys}.Path(st.Key)
	}
	r.SafeFrom, r.ReadableBy = protection(st.Keeper)
	if err := s.Unlock(ctx); err != nil {
		r.Problem, r.Locked = Plain(err.Error()), errors.Is(err, secretref.ErrLocked)
	}
	return r, nil
}

// protection returns who cannot and who can read a store, depending on the keeper of
// its key.
func protection(kind string) (safe, readable []string) {
	const (
		copies  = "anyone with a copy of the folder"
		users   = "other users of this machine"
		self    = "every program that runs as you"
		offline = "anyone with the disk while you are not logged in"
	)
	root := superuser(runtime.GOOS)
	switch kind {
	case (file.Passphrase{}).Kind():
		return []string{copies + ", as long as the passphrase is strong", users},
			[]string{self + " while it is unlocked or the program can read the passphrase", root + ", likewise"}
	case (keyring.Keeper{}).Kind():
		return []string{copies, users, offline}, []string{self + " while you are logged in", root + ", likewise"}
	case inVault:
		return []string{"anyone with this machine's disk", users},
			[]string{"anyone with read access to this path in Vault", self + " and can read your Vault token", "the administrators of Vault"}
	}
	return []string{copies + " alone", users}, []string{self, root, "anyone with copies of the folder and of the key file"}
}

// superuser names the account that can read everything on a system.
func superuser(goos string) string {
	if goos == "windows" {
		return "administrators"
	}
	return "root"
}

func (o Opener) inspectVault(ctx context.Context, at Location) (Report, error) {
	s, err := o.Open(ctx, at, false)
	if err != nil {
		return Report{}, err
	}
	names, err := s.List(ctx)
	if err != nil {
		return Report{}, err
	}
	client, err := o.Vault.client() // for where it is
	if err != nil {
		return Report{}, err
	}
	r := Report{Store: at.Store, Address: client.Address(), Records: len(names)}
	r.SafeFrom, r.ReadableBy = protection(inVault)
	return r, nil
}
