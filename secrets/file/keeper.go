package file

import (
	"context"
	"encoding/json"
)

// Keeper keeps the key of a store, a random secret of 32 bytes. A store opens
// only with the kind of keeper that it was created with.
//
// A keeper that keeps the key outside the store's folder also implements
// [Forgetter].
type Keeper interface {
	// Kind names the kind of keeper, for store.json and for display: "key
	// file".
	Kind() string

	// Keep stores a key durably under its ID, which is safe as a file name and
	// not secret. The returned params are stored in clear text in store.json
	// and passed to Key.
	Keep(ctx context.Context, id string, key []byte) (params json.RawMessage, err error)

	// Key returns a key, or an error that wraps secrets.ErrPassphrase,
	// secrets.ErrUndecryptable or secrets.ErrUnavailable. A store calls it once
	// and caches the key.
	Key(ctx context.Context, id string, params json.RawMessage) ([]byte, error)
}

// Forgetter is a Keeper that can remove a key that no store needs any longer.
type Forgetter interface {
	// Forget removes the key with this ID. A missing key is not an error.
	Forget(ctx context.Context, id string) error
}
