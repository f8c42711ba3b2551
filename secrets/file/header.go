package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/mcp-login/mcp-login/secrets"
)

// header is store.json: which key the records are encrypted with, and who
// keeps it. It holds no secret in clear text.
type header struct {
	Version  int             `json:"version"`
	Key      string          `json:"key"`                // id of the store key
	Keeper   string          `json:"keeper"`             // Keeper.Kind
	Params   json.RawMessage `json:"params,omitempty"`   // what the keeper wants to find again
	Previous []byte          `json:"previous,omitempty"` // the key before this one, encrypted with it, until no record needs it

	raw []byte
}

const (
	headerVersion = 1
	maxHeader     = 64 << 10
)

// same reports whether nothing was written in between.
func (h header) same(other header) bool { return h.raw != nil && bytes.Equal(h.raw, other.raw) }

// header reads store.json. It returns ErrNotFound where there is none.
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
