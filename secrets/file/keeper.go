package file

import (
	"context"
	"encoding/json"
)

// Keeper keeps the key of a store, a random secret of 32 bytes. A store is
// made with one keeper and opens only with that kind again.
//
// A keeper that keeps the key outside the store's folder also has a method
// Forget(ctx, id) error; see [Forgetter].
type Keeper interface {
	// Kind names the kind of keeper for store.json and for people: "key file".
	Kind() string

	// Keep stores a key durably under its id, which is safe in any file name
	// and is no secret. What it returns is stored in the open in store.json
	// and given back to Key.
	Keep(ctx context.Context, id string, key []byte) (params json.RawMessage, err error)

	// Key returns a key, or an error that wraps secrets.ErrPassphrase,
	// secrets.ErrUndecryptable or secrets.ErrUnavailable. A store calls it once
	// and remembers the answer.
	Key(ctx context.Context, id string, params json.RawMessage) ([]byte, error)
}

// Forgetter is a Keeper that can remove a key which no store needs any more.
type Forgetter interface {
	// Forget removes the key of this id. One that is gone already is no error.
	Forget(ctx context.Context, id string) error
}
