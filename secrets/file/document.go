package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/mcp-login/mcp-login/secrets"
)

// A document is JSON whose last member is the SHA-256 of everything before it.
// The checksum distinguishes damage from a wrong passphrase; it does not
// protect against someone with write access to the file.

// encodeDocument returns v, which must be a struct, as a document.
func encodeDocument(v any) ([]byte, error) {
	doc, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode store file: %w", err)
	}
	return appendChecksum(bytes.TrimSuffix(doc, []byte("\n}"))), nil
}

const checksumMember = ",\n  \"sha256\": \""

func appendChecksum(doc []byte) []byte {
	return fmt.Appendf(doc[:len(doc):len(doc)], "%s%x\"\n}\n", checksumMember, sha256.Sum256(doc))
}

// decodeDocument verifies and decodes a document. It checks the version first,
// because a newer format may have another checksum.
func decodeDocument(path string, raw []byte, version int, v any) error {
	var any struct{ Version int }
	if err := json.Unmarshal(raw, &any); err != nil {
		return damaged(path)
	}
	if any.Version > version {
		return fmt.Errorf("%w: %s has format version %d, and this version supports only %d; a newer mcp-login wrote it, or it is damaged",
			secrets.ErrUndecryptable, path, any.Version, version)
	}
	end := bytes.LastIndex(raw, []byte(checksumMember))
	if end < 0 || !bytes.Equal(appendChecksum(raw[:end]), raw) {
		return damaged(path)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return damaged(path)
	}
	return nil
}

func damaged(path string) error {
	return fmt.Errorf("%w: %s is damaged; restore it from a backup", secrets.ErrUndecryptable, path)
}
