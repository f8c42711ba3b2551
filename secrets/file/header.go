package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/mcp-login/mcp-login/secrets"
)

// header is store.json: which key encrypts the records, and its keeper. It
// contains no secret in clear text.
type header struct {
	Version  int             `json:"version"`
	Key      string          `json:"key"`                // ID of the store key
	Keeper   string          `json:"keeper"`             // Keeper.Kind
	Params   json.RawMessage `json:"params,omitempty"`   // the params that Keeper.Keep returned
	Previous []byte          `json:"previous,omitempty"` // the previous key, encrypted with this one, until no record needs it

	raw []byte
}

const (
	headerVersion = 1
	maxHeader     = 64 << 10
)

// same reports whether both were read from the same file content.
func (h header) same(other header) bool { return h.raw != nil && bytes.Equal(h.raw, other.raw) }

// header reads store.json. It returns ErrNotFound if the file does not exist.
func (s *Store) header() (header, error) {
	path := filepath.Join(s.dir, headerFile)
	raw, err := readFile(path, maxHeader)
	if errors.Is(err, fs.ErrNotExist) {
		return header{}, secrets.ErrNotFound
	}
	if err != nil {
		return header{}, err
	}
	h := header{raw: raw}
	if r, ok := s.cached(h); ok {
		return r.head, nil
	}
	return h, decodeDocument(path, raw, headerVersion, &h)
}

func (s *Store) writeHeader(h *header) error {
	raw, err := encodeDocument(h)
	if err != nil {
		return err
	}
	h.raw = raw
	return s.write(filepath.Join(s.dir, headerFile), raw)
}
