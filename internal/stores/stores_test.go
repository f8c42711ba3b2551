package stores_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/secrets"
)

// opener opens stores below a new home folder, without a terminal.
func opener(t *testing.T) (stores.Opener, *[]stores.Choice) {
	home := t.TempDir()
	var created []stores.Choice
	getenv := func(name string) string {
		return map[string]string{"HOME": home, "USERPROFILE": home, "P": "correct horse", "NEXT": "battery staple"}[name]
	}
	return stores.Opener{
		Dirs: paths.Dirs{Getenv: getenv},
		Secrets: secretref.Reader{
			Getenv: getenv, Loaded: func(string) {},
			Ask: func(context.Context, string) ([]byte, error) { return nil, secretref.ErrNoTerminal },
		},
		Created: func(c stores.Choice) { created = append(created, c) },
	}, &created
}

func TestOptions(t *testing.T) {
	o, _ := opener(t)
	for _, tt := range []struct {
		at   stores.Location
		want string
	}{
		{stores.Location{Store: "memory"}, "use file:DIR"},
		{stores.Location{Store: "s3:x"}, `unknown kind "s3"`},
		{stores.Location{Store: "keyring:", Keeper: stores.KeyFile}, "cannot be used together"},
		{stores.Location{Keeper: "butler"}, "use key-file, passphrase or keyring"},
		{stores.Location{Store: "vault:"}, "use vault:MOUNT/PREFIX"},
		{stores.Location{Store: "vault:secret?kv=1"}, "KV version 1 has no check-and-set"},
	} {
		_, err := o.Open(t.Context(), tt.at, true)
		if _, ok := errors.AsType[*stores.OptionError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %s", tt.at, err, tt.want)
		}
	}
}

// TestKeeperIsChosenOnce: the keeper of a new store is chosen once, and is reported
// with the reason.
func TestKeeperIsChosenOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a keyring may be available")
	}
	for _, tt := range []struct{ passphrase, want string }{{"", stores.KeyFile}, {"env:P", stores.Passphrase}} {
		o, created := opener(t)
		o.Passphrase = tt.passphrase
		for range 2 {
			s, err := o.Open(t.Context(), stores.Location{}, true)
			if err == nil {
				err = stores.Probe(t.Context(), s)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Put(t.Context(), "a", []byte("{}"), secrets.Any); err != nil {
				t.Fatal(err)
			}
		}
		if len(*created) != 1 || (*created)[0].Keeper != tt.want {
			t.Errorf("passphrase %q: %+v, want %s once", tt.passphrase, *created, tt.want)
		}
	}
}

// TestNoStore: a store that does not exist is neither unlocked nor rekeyed.
func TestNoStore(t *testing.T) {
	o, created := opener(t)
	if _, _, err := o.Rekey(t.Context(), stores.Location{}, nil); !errors.Is(err, stores.ErrNoStore) {
		t.Errorf("rekey: %v", err)
	}
	if _, err := o.Unlock(t.Context(), stores.Location{}, time.Minute); !errors.Is(err, stores.ErrNoStore) {
		t.Errorf("unlock: %v", err)
	}
	if len(*created) != 0 {
		t.Errorf("reported %+v", *created)
	}
}

func TestSame(t *testing.T) {
	o, _ := opener(t)
	dir := t.TempDir()
	for _, tt := range []struct {
		a, b stores.Location
		want bool
	}{
		{stores.Location{Store: "file:" + dir}, stores.Location{ProfileDir: filepath.Join(dir, ".")}, true},
		{stores.Location{Store: "vault:kv/a"}, stores.Location{Store: "vault:kv/a/"}, true},
		{stores.Location{}, stores.Location{Store: "file:" + dir}, false},
	} {
		if same, err := o.Same(tt.a, tt.b); err != nil || same != tt.want {
			t.Errorf("%+v and %+v: %v, %v", tt.a, tt.b, same, err)
		}
	}
}
