package sshbrowser

import (
	"bufio"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
)

// errProof means that the peer does not know the secret: any user of a host can
// connect to a TCP port, or listen on one that was released.
var errProof = errors.New("the peer does not know the secret")

// prove returns a proof that a side knows the secret, bound to these nonces.
func prove(secret, side, laptop, remote string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, text := range []string{side, laptop, remote} {
		_, _ = io.WriteString(mac, text+"\x00") // writes to a hash cannot fail
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// admit is the laptop's side, after a greeting with its nonce.
func admit(w io.Writer, in *bufio.Reader, secret, nonce string) error {
	m, err := read(in)
	if err != nil {
		return err
	}
	if m.Nonce == "" || !hmac.Equal([]byte(m.Proof), []byte(prove(secret, "remote", nonce, m.Nonce))) {
		return errProof
	}
	return write(w, message{Proof: prove(secret, "laptop", nonce, m.Nonce)})
}

// introduce is the remote host's side, after the laptop's greeting.
func introduce(w io.Writer, in *bufio.Reader, secret, laptop string) error {
	nonce := rand.Text()
	if err := write(w, message{Nonce: nonce, Proof: prove(secret, "remote", laptop, nonce)}); err != nil {
		return err
	}
	m, err := read(in)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(m.Proof), []byte(prove(secret, "laptop", laptop, nonce))) {
		return errProof
	}
	return nil
}
