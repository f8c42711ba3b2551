// Package parcel encrypts one record with a passphrase, for transfer to another
// machine. It must not know what the record holds.
//
// A parcel is an armored age file with an scrypt recipient
// (https://age-encryption.org/v1), so that "age -d" opens it too.
package parcel

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	// WorkFactor is the cost of guessing the passphrase of a parcel: the power of
	// two of scrypt's N, about a second.
	WorkFactor = 18
	// maxWorkFactor is the largest accepted work factor: about 4 s.
	maxWorkFactor = 20

	maxParcel = 4 << 20
)

// Pack encrypts data with a passphrase, with the work factor work: WorkFactor,
// or less in tests.
func Pack(data, passphrase []byte, work int) ([]byte, error) {
	r, err := age.NewScryptRecipient(string(passphrase))
	if err != nil { // it is empty
		return nil, fmt.Errorf("%w: %w", secrets.ErrPassphrase, err)
	}
	r.SetWorkFactor(work)
	var parcel bytes.Buffer
	text := armor.NewWriter(&parcel)
	w, err := age.Encrypt(text, r)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close(), text.Close()); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return parcel.Bytes(), nil
}

// Unpack decrypts a parcel. It returns ErrPassphrase if the passphrase is wrong
// (or the header is damaged, which looks the same), and ErrUndecryptable if the
// rest is damaged or it is not a parcel.
func Unpack(parcel, passphrase []byte) ([]byte, error) {
	id, err := age.NewScryptIdentity(string(passphrase))
	if err != nil { // it is empty
		return nil, fmt.Errorf("%w: %w", secrets.ErrPassphrase, err)
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(bytes.TrimSpace(parcel))), id)
	if wrong := new(age.NoIdentityMatchError); errors.As(err, &wrong) {
		return nil, fmt.Errorf("unpack: %w", secrets.ErrPassphrase)
	}
	if err != nil { // age's error quotes the first line, which may be a token that was piped in by mistake
		return nil, fmt.Errorf("unpack: %w: not an exported credential, or damaged", secrets.ErrUndecryptable)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxParcel+1))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w: %w", secrets.ErrUndecryptable, err)
	}
	if len(data) > maxParcel {
		return nil, fmt.Errorf("unpack: %w: it is larger than %d bytes", secrets.ErrUndecryptable, maxParcel)
	}
	return data, nil
}

// Read reads a parcel.
func Read(r io.Reader) ([]byte, error) {
	packed, err := io.ReadAll(io.LimitReader(r, maxParcel)) // far above any credential
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	if len(packed) == 0 {
		return nil, exit.Usagef("import: standard input is empty: mcp-login import < FILE")
	}
	return packed, nil
}

// Explain says where the passphrase comes from, if an error is about that, and which
// command tries again with another one; "": none.
func Explain(err error, again string) error {
	if !errors.Is(err, secrets.ErrPassphrase) {
		return err
	}
	if again != "" {
		again = "try again: " + again + "\n"
	}
	return &exit.Error{
		Code: exit.Store, Text: err.Error(),
		Hint: again + "set MCP_LOGIN_EXPORT_PASSPHRASE_FILE or MCP_LOGIN_EXPORT_PASSPHRASE_COMMAND to the passphrase of the export",
	}
}
