package stores

import (
	"slices"
	"testing"

	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// TestWeaker: stores are ordered by strength, and it is known who else can read
// each one.
func TestWeaker(t *testing.T) {
	home := t.TempDir()
	o := Opener{Dirs: paths.Dirs{Getenv: func(name string) string {
		return map[string]string{"HOME": home, "USERPROFILE": home}[name]
	}}}
	locations := []Location{
		{Store: "vault:secret/x"}, {Store: "file:" + home + "/a", Keeper: Passphrase},
		{Store: "keyring:" + home + "/b"}, {Store: "file:" + home + "/c", Keeper: KeyFile},
	}
	for i, from := range locations {
		for j, to := range locations {
			w, err := o.weaker(t.Context(), from, to)
			if err != nil || (len(w.ReadableBy) > 0) != (j > i) {
				t.Errorf("from %+v to %+v: %+v, %v", from, to, w, err)
			}
		}
	}
	w, _ := o.weaker(t.Context(), locations[0], locations[3])
	if !slices.Contains(w.ReadableBy, "anyone with copies of the folder and of the key file") || slices.Contains(w.ReadableBy, "the administrators of Vault") {
		t.Errorf("a key file instead of Vault: %q", w.ReadableBy)
	}
	for _, kind := range []string{(file.KeyFile{}).Kind(), inVault} {
		if !slices.Contains(strength(), kind) {
			t.Errorf("the strength of %q is unknown", kind)
		}
	}
}
