package file

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/mcp-login/mcp-login/secrets"
)

// A record file is
//
//	"mcp-login" | format version (1 byte) | key ID (16) | nonce (24) | XChaCha20-Poly1305 of the data
//
// with everything before the nonce, and the record's name, as associated data:
// a file that is renamed, or whose version byte is changed, cannot be
// decrypted. The nonce is random and new for every write, so it also serves as
// the secrets.Version.
const (
	recordMagic   = "mcp-login"
	recordVersion = 1
	nonceAt       = len(recordMagic) + 1 + keyIDSize
	dataAt        = nonceAt + chacha20poly1305.NonceSizeX
)

// record is a parsed record file, not yet verified.
type record struct {
	key    string // ID of the key that it is encrypted with
	prefix []byte
	nonce  []byte
	sealed []byte
}

func parseRecord(raw []byte) (record, error) {
	if len(raw) <= len(recordMagic) || string(raw[:len(recordMagic)]) != recordMagic {
		return record{}, fmt.Errorf("%w: its file is damaged or not a record", secrets.ErrUndecryptable)
	}
	if v := raw[len(recordMagic)]; v != recordVersion {
		return record{}, fmt.Errorf("%w: it has format version %d, and this version supports only %d; %w, or it is damaged",
			secrets.ErrUndecryptable, v, recordVersion, secrets.ErrNewer)
	}
	if len(raw) < dataAt+chacha20poly1305.Overhead {
		return record{}, fmt.Errorf("%w: its file is truncated", secrets.ErrUndecryptable)
	}
	return record{
		key:    hex.EncodeToString(raw[len(recordMagic)+1 : nonceAt]),
		prefix: raw[:nonceAt:nonceAt],
		nonce:  raw[nonceAt:dataAt],
		sealed: raw[dataAt:],
	}, nil
}

func (r record) version() secrets.Version {
	return nonceVersion(r.nonce)
}

// open decrypts a record file.
func (r keyRing) open(name string, raw []byte) (record, []byte, error) {
	rec, err := parseRecord(raw)
	if err != nil {
		return record{}, nil, err
	}
	k, ok := r.key(rec.key)
	if !ok {
		return record{}, nil, fmt.Errorf("%w: it is encrypted with another key, or damaged", secrets.ErrUndecryptable)
	}
	data, err := k.aead.Open(nil, rec.nonce, rec.sealed, append(rec.prefix, name...))
	if err != nil {
		return record{}, nil, fmt.Errorf("%w: its file is damaged, or was moved here from another name", secrets.ErrUndecryptable)
	}
	return rec, data, nil
}

// seal encrypts a record with the current key. Two different records must not
// have the same nonce.
func (r keyRing) seal(name string, data, nonce []byte) []byte {
	raw := make([]byte, 0, dataAt+len(data)+chacha20poly1305.Overhead)
	raw = append(raw, recordMagic...)
	raw = append(raw, recordVersion)
	raw = append(raw, r.current.idBytes()...)
	additional := append(raw[:nonceAt:nonceAt], name...)
	raw = append(raw, nonce...)
	return r.current.aead.Seal(raw, nonce, data, additional)
}

func newNonce() []byte {
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce) // never fails, as of Go 1.24
	return nonce
}

func nonceVersion(nonce []byte) secrets.Version {
	return secrets.Version(hex.EncodeToString(nonce))
}
