package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/mcp-login/mcp-login/secrets"
)

// KeyFile keeps the store key in a separate file, mode 0600, so that a copy of
// only the records is useless: in a backup, a synced folder, a commit. Dir must
// not be inside the store's folder, because a copy would include both.
type KeyFile struct {
	Dir string // created with mode 0700 when needed; several stores may share it
}

var (
	_ Keeper    = KeyFile{}
	_ Forgetter = KeyFile{}
)

// keyDocument is the content of a key file.
type keyDocument struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Key     []byte `json:"key"`
}

const keyFileVersion = 1

// Kind implements [Keeper].
func (k KeyFile) Kind() string { return "key file" }

// Path returns the path of the file with this key.
func (k KeyFile) Path(id string) string { return k.folder().Path(id + ".key") }

func (k KeyFile) folder() Folder { return Folder{Dir: k.Dir} }

// Keep implements [Keeper].
func (k KeyFile) Keep(_ context.Context, id string, key []byte) (json.RawMessage, error) {
	doc, err := encodeDocument(keyDocument{keyFileVersion, id, key})
	if err != nil {
		return nil, err
	}
	return nil, k.folder().Write(id+".key", doc)
}

// Key implements [Keeper].
func (k KeyFile) Key(_ context.Context, id string, _ json.RawMessage) ([]byte, error) {
	path := k.Path(id)
	raw, err := k.folder().Read(id + ".key")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the key file %s is missing; restore it, or remove the store and sign in again",
			secrets.ErrUndecryptable, path)
	}
	if err != nil {
		return nil, err
	}
	var doc keyDocument
	if err := decodeDocument(path, raw, keyFileVersion, &doc); err != nil {
		return nil, err
	}
	if doc.ID != id {
		return nil, fmt.Errorf("%w: %s has the key %s, which belongs to another store", secrets.ErrUndecryptable, path, doc.ID)
	}
	return doc.Key, nil
}

// Forget implements [Forgetter].
func (k KeyFile) Forget(_ context.Context, id string) error {
	return k.folder().Remove(id + ".key")
}
