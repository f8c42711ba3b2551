// Package secrets defines what a store of named secrets must do. It knows
// nothing of OAuth: a record is a name and bytes.
//
// Use a store from one of the folders below it (file, vault, keyring), or
// [Memory] in tests. A new store is right when it passes secretstest.TestStore.
//
// # Security
//
// A store never writes a record in clear text at rest, and never falls back to
// another store when it fails.
//
// # Stability
//
// [Store] does not grow. What only some stores can do is an optional interface.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Version names one state of one record, for compare-and-swap. It is opaque:
// equal versions mean that the record was not written in between.
type Version string

const (
	// Absent is the version of a record that does not exist.
	Absent Version = ""
	// Any as prev asks for no comparison.
	Any Version = "*"
)

// The errors that a store's caller branches on. Stores wrap them with the
// cause and the way out.
var (
	ErrNotFound      = errors.New("no such record")
	ErrConflict      = errors.New("record was changed by another process")
	ErrName          = errors.New("name cannot be used")
	ErrUnavailable   = errors.New("store unavailable")             // cannot be used as it is: permissions, disk full, sealed, refused
	ErrTemporary     = errors.New("store temporarily unavailable") // try again later: network, 5xx, 429
	ErrUndecryptable = errors.New("record cannot be decrypted")    // damaged, moved, or another key
	ErrPassphrase    = errors.New("wrong passphrase")
	ErrNewer         = errors.New("a newer mcp-login wrote it") // with ErrUndecryptable or ErrUnavailable; it is never replaced
)

// Store keeps named records. It is safe for use by many goroutines and many
// processes at once. Every method returns ErrName for a name that [CheckRecord]
// refuses and stops when ctx ends.
type Store interface {
	// Get returns a record and its version, or ErrNotFound.
	Get(ctx context.Context, name string) (data []byte, v Version, err error)

	// Put writes a record durably if its version is still prev (Absent: it must
	// not exist; Any: whatever is there), else returns ErrConflict and changes
	// nothing. After any error the old record is still whole.
	Put(ctx context.Context, name string, data []byte, prev Version) (Version, error)

	// Delete removes a record and every older version of it, if its version is
	// still prev. It returns ErrNotFound where there is none.
	Delete(ctx context.Context, name string, prev Version) error

	// List returns the names of all records but [Internal], sorted. It opens
	// none of them.
	List(ctx context.Context) ([]string, error)

	// Lock takes the advisory lock of a name, across processes and, where the
	// store spans hosts, across hosts. It waits until ctx ends. The record need
	// not exist. Put and Delete do not need it. A holder that dies frees it.
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// maxName keeps an escaped name below the 255 bytes of a file name.
const maxName = 80

// Internal is the name of one record that the program keeps for itself. It is
// not among the names that people choose (CheckName refuses it) or are shown.
const Internal = "-internal"

// CheckRecord returns nil for the name of a record: Internal, or what CheckName
// accepts.
func CheckRecord(name string) error {
	if name == Internal {
		return nil
	}
	return CheckName(name)
}

// CheckName returns nil if name can be used in every store: 1 to 80 bytes of
// UTF-8 without control characters, not starting with "-" and without spaces
// at its ends. It wraps ErrName.
func CheckName(name string) error {
	switch {
	case name == "":
		return nameError("is empty")
	case len(name) > maxName:
		return nameError("is longer than 80 bytes")
	case !utf8.ValidString(name):
		return nameError("is not UTF-8")
	case name[0] == '-':
		return nameError("starts with \"-\"")
	case name[0] == ' ' || name[len(name)-1] == ' ':
		return nameError("starts or ends with a space")
	}
	for _, r := range name {
		if !graphic(r) {
			return nameError("contains a control or invisible character")
		}
	}
	return nil
}

// graphic refuses control and format characters (bidi, zero width), which
// would make two names look alike.
func graphic(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) }

func nameError(why string) error { return fmt.Errorf("%w: it %s", ErrName, why) }
