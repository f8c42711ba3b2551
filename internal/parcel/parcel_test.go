package parcel_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/mcp-login/mcp-login/internal/parcel"
	"github.com/mcp-login/mcp-login/secrets"
)

func Example() {
	packed, err := parcel.Pack([]byte("a secret"), []byte("correct horse"), parcel.WorkFactor)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.34s\n", packed)
	data, err := parcel.Unpack(packed, []byte("correct horse"))
	fmt.Println(string(data), err)
	// Output:
	// -----BEGIN AGE ENCRYPTED FILE-----
	// a secret <nil>
}

// quick encrypts at a low cost, for tests: Unpack reads the cost from the parcel.
func quick(t *testing.T, data, passphrase string) []byte {
	t.Helper()
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(10)
	var parcel bytes.Buffer
	text := armor.NewWriter(&parcel)
	w, err := age.Encrypt(text, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), text.Close()); err != nil {
		t.Fatal(err)
	}
	return parcel.Bytes()
}

func TestUnpack(t *testing.T) {
	packed := quick(t, "data", "right")
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-40] ^= 1 // within the data, because damage in age's header looks like a wrong passphrase
	pasted := "\n  " + string(bytes.ReplaceAll(packed, []byte("\n"), []byte("\r\n"))) + "\n\n"
	for _, tt := range []struct {
		name       string
		parcel     []byte
		passphrase string
		data       string
		want       error
	}{
		{"pasted", []byte(pasted), "right", "data", nil},
		{"wrong passphrase", packed, "wrong", "", secrets.ErrPassphrase},
		{"no passphrase", packed, "", "", secrets.ErrPassphrase},
		{"damaged", damaged, "right", "", secrets.ErrUndecryptable},
		{"cut short", packed[:len(packed)-40], "right", "", secrets.ErrUndecryptable},
		{"empty", nil, "right", "", secrets.ErrUndecryptable},
		{"not a parcel", []byte("hello"), "right", "", secrets.ErrUndecryptable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := parcel.Unpack(tt.parcel, []byte(tt.passphrase))
			if string(data) != tt.data || !errors.Is(err, tt.want) {
				t.Errorf("Unpack = %q, %v, want %q, %v", data, err, tt.data, tt.want)
			}
		})
	}
	if _, err := parcel.Pack([]byte("data"), nil, parcel.WorkFactor); !errors.Is(err, secrets.ErrPassphrase) {
		t.Errorf("Pack with no passphrase = %v, want ErrPassphrase", err)
	}
}
