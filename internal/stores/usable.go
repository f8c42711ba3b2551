package stores

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

// Usability says whether a keeper, or Vault, can be used here.
type Usability struct {
	What   string // such as "keeper keyring"
	Detail string
	Err    error // why it cannot be used; nil: it can
	Remedy string
}

// Usable tests each keeper, and Vault if it is configured. It changes nothing
// and never prompts.
func (o Opener) Usable(ctx context.Context, configured bool) []Usability {
	all := []Usability{o.usableKeyFile(), {What: "keeper keyring", Detail: "usable", Err: keyring.Keeper{}.Probe(ctx), Remedy: "keep the key of a store in a file instead: --keeper key-file"}, o.usablePassphrase()}
	if !configured {
		return append(all, Usability{What: "Vault", Detail: "not configured"})
	}
	return append(all, o.usableVault(ctx))
}

func (o Opener) usableKeyFile() Usability {
	u := Usability{What: "keeper key-file"}
	dir, err := o.Dirs.Keys()
	if err == nil {
		_, err = o.Dirs.CheckHome(dir)
	}
	if err == nil {
		err = creatable(dir)
	}
	u.Detail, u.Err = "usable, in "+dir, err
	return u
}

func (o Opener) usablePassphrase() Usability {
	u := Usability{What: "keeper passphrase", Detail: "usable, typed at a prompt"}
	if o.Passphrase != "" {
		u.Detail = "usable, the passphrase is available to commands"
	}
	if err := (file.KernelCache{}).Supported(); err != nil {
		u.Detail += "; unlock is not available on this system"
	}
	return u
}

func (o Opener) usableVault(ctx context.Context) Usability {
	u := Usability{What: "Vault"}
	client, err := o.Vault.client()
	if err != nil {
		u.Err = err
		return u
	}
	client.SetMaxRetries(0)
	health, err := client.Sys().HealthWithContext(ctx)
	switch {
	case err != nil:
		u.Err = err
	case !health.Initialized || health.Sealed:
		u.Err = fmt.Errorf("%s is sealed", client.Address())
	default:
		u.Detail = "usable at " + client.Address() + "; --store vault:MOUNT/PREFIX uses it"
	}
	return u
}

// creatable returns an error if a folder could not be created: its nearest
// existing parent must be a writable folder.
func creatable(dir string) error {
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s is not a folder", dir)
		case err == nil:
			return writableFolder(dir)
		case !os.IsNotExist(err):
			return err
		}
		dir = filepath.Dir(dir)
	}
}
