// Package secrets defines the interface of a store of named secrets. It knows
// nothing about OAuth: a record is a name and bytes.
//
// Use a store from a subpackage (file, vault), or [Memory] in tests. Test a new
// implementation with secretstest.TestStore.
//
// # Security
//
// A store never writes a record to disk in clear text, and never falls back to
// another store.
//
// # Stability
//
// [Store] gets no new methods. Additions are optional interfaces.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Version identifies a state of a record, for compare-and-swap. It is opaque:
// equal versions mean that the record was not written in between.
type Version string

const (
	// Absent is the version of a record that does not exist.
	Absent Version = ""
	// Any as prev skips the comparison.
	Any Version = "*"
)

// The errors that callers branch on with errors.Is. Stores wrap them with the
// cause and advice.
var (
	ErrNotFound      = errors.New("no such record")
	ErrConflict      = errors.New("record was changed by another process")
	ErrName          = errors.New("name cannot be used")
	ErrUnavailable   = errors.New("store unavailable")             // needs a fix: permissions, disk full, sealed, access denied
	ErrTemporary     = errors.New("store temporarily unavailable") // retry later: network error, 5xx, 429
	ErrUndecryptable = errors.New("record cannot be decrypted")    // damaged, renamed, or encrypted with another key
	ErrPassphrase    = errors.New("wrong passphrase")
	ErrNewer         = errors.New("a newer mcp-login wrote it") // together with ErrUndecryptable or ErrUnavailable; the record is never replaced
)

// Store stores named records. It is safe for concurrent use by goroutines and
// processes. Every method returns ErrName for a name that [CheckRecord]
// rejects, and stops when ctx ends.
type Store interface {
	// Get returns a record and its version, or ErrNotFound.
	Get(ctx context.Context, name string) (data []byte, v Version, err error)

	// Put writes a record durably if its version is still prev (Absent: it must
	// not exist; Any: any version), else returns ErrConflict and changes
	// nothing. After any error the old record is intact.
	Put(ctx context.Context, name string, data []byte, prev Version) (Version, error)

	// Delete removes a record and all its older versions, if its version is
	// still prev. It returns ErrNotFound if the record does not exist.
	Delete(ctx context.Context, name string, prev Version) error

	// List returns the sorted names of all records except [Internal]. It
	// decrypts none of them.
	List(ctx context.Context) ([]string, error)

	// Lock takes the advisory lock of a name, across processes and, where the
	// store spans hosts, across hosts. It waits until ctx ends. The record need
	// not exist. Put and Delete do not require the lock. The lock of a process
	// that dies is released.
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// maxName limits a name in bytes, so that an escaped name fits into a file name
// of 255 bytes.
const maxName = 80

// Internal is the name of a record for the program's own data. Users cannot
// choose this name (CheckName rejects it), and it is not listed.
const Internal = "-internal"

// CheckRecord returns nil for a valid record name: Internal, or a name that
// CheckName accepts.
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

// graphic rejects control and format characters (bidi, zero width), with which
// two names could look alike.
func graphic(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) }

func nameError(why string) error { return fmt.Errorf("%w: it %s", ErrName, why) }
