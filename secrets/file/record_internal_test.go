package file

import (
	"bytes"
	"testing"
)

// FuzzRecord: a record that can be opened is byte for byte what was sealed: neither
// a record file nor its name can be changed without detection.
func FuzzRecord(f *testing.F) {
	k, err := newKey(make([]byte, keySize)) // constant, so that the fuzzer's corpus stays valid
	if err != nil {
		f.Fatal(err)
	}
	r := keyRing{current: k}
	good := r.seal("a", []byte("data"), make([]byte, dataAt-nonceAt))
	for _, raw := range [][]byte{nil, good, good[:dataAt], good[:len(good)-1], append(bytes.Clone(good), 0)} {
		f.Add("a", raw)
		f.Add("b", raw)
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		rec, data, err := r.open(name, raw)
		if err != nil {
			return
		}
		if again := r.seal(name, data, rec.nonce); !bytes.Equal(again, raw) {
			t.Errorf("open(%q, %x) = %q, which seals to %x", name, raw, data, again)
		}
	})
}
