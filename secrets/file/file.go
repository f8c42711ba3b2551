// Package file keeps secrets in encrypted files, one for each record.
//
//	store, err := file.Open(file.Config{
//		Dir:    filepath.Join(dataHome, "mcp-login"),
//		Keeper: file.KeyFile{Dir: filepath.Join(stateHome, "mcp-login")},
//	})
//
// Writes are durable and whole: a process killed at any instant leaves the old
// record or the new one. Any number of processes may share a store.
//
// # Security
//
// Records are sealed with XChaCha20-Poly1305 under one random key per store,
// and bound to their names. A [Keeper] keeps that key:
//
//   - [KeyFile] keeps it in a file apart from the records. That protects
//     backups, synced folders and commits of the records; it protects nothing
//     from who can read both folders, as every program of the same user can.
//   - [Passphrase] encrypts it with a passphrase. Who has the files must guess
//     that, at the price of Argon2id for each guess.
//
// Nothing hides the names of records, their sizes, and when they were written.
// Who can write the folder can put back an older record.
//
// Folders and files that others could read or replace are refused, and so are
// symbolic links in place of the store's folder or its files.
//
// # Stability
//
// Every file has a format version. A store once written opens in all later
// versions of this package; an unknown newer format is refused and left alone.
package file
