// Package file stores secrets in encrypted files, one per record.
//
//	store, err := file.Open(file.Config{
//		Dir:    filepath.Join(dataHome, "mcp-login"),
//		Keeper: file.KeyFile{Dir: filepath.Join(stateHome, "mcp-login")},
//	})
//
// Writes are atomic and durable: a process killed at any time leaves the old
// record or the new one. Any number of processes may share a store.
//
// # Security
//
// Records are encrypted with XChaCha20-Poly1305 under one random key per store,
// and bound to their names. A [Keeper] keeps that key:
//
//   - [KeyFile] keeps it in a file apart from the records. That protects
//     backups, synced folders and commits of the records; it protects nothing
//     from who can read both folders, as every program of the same user can.
//   - [Passphrase] encrypts it with a passphrase. Who has the files must guess
//     that, at the price of Argon2id for each guess.
//
// The names of records, their sizes and times of change are not hidden. Anyone
// with write access to the folder can restore an older record.
//
// Folders and files that other users could read or replace are rejected, and so
// are symbolic links.
//
// # Stability
//
// Every file has a format version. All later versions of this package can open
// a store; an unknown newer format is an error and never overwritten.
package file
