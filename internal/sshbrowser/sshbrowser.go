// Package sshbrowser opens the browser of a user's laptop for a sign-in on a
// remote host. Both sides communicate over a connection that SSH forwards: a
// private Unix socket, or if a side does not support that, a TCP port on loopback
// with a shared secret.
//
// The remote host first makes the [Helper] on the laptop reserve a loopback
// port, so that the authorization request can name it. Then it sends the
// authorization URL. The helper shows a page that names the hosts, and continues
// only when the user follows its link, or chose before not to be asked for these
// hosts. It sends the query of the one response with the right state back.
//
// It must not know tokens, code verifiers, profiles or where the credential is
// kept, and it never reads the environment.
//
// # Security
//
// A hostile remote host can ask, and nothing else: it cannot choose what the page
// says, open another URL than an authorization request with PKCE, keep more than
// one request open, or ask more often than the user would. A code without its
// verifier, which never leaves the remote host, is useless to others.
package sshbrowser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// protocolVersion is the version in the laptop's greeting.
const protocolVersion = 1

const (
	maxMessage      = 32 << 10         // of either side
	answerIn        = time.Second      // timeout of the greeting
	openIn          = 10 * time.Second // timeout to bind a port, and to start the browser
	registerIn      = 2 * time.Minute  // between the reservation and the URL: a client is registered
	defaultLifetime = 10 * time.Minute // of a request; a sign-in's own default
)

// message is one line of JSON in either direction. With a secret, a nonce and
// proofs are exchanged first. The laptop greets with a version; the remote host has
// a port reserved and gets its number; it sends the URL and gets opened, then the
// query. An error ends the exchange.
type message struct {
	Version  int    `json:"version,omitempty"`
	Nonce    string `json:"nonce,omitempty"`
	Proof    string `json:"proof,omitempty"`
	Reserve  *place `json:"reserve,omitempty"`
	Port     int    `json:"port,omitempty"`
	URL      string `json:"url,omitempty"`
	Opened   bool   `json:"opened,omitempty"`
	Query    string `json:"query,omitempty"`
	Error    string `json:"error,omitempty"`
	Busy     bool   `json:"busy,omitempty"`     // with an error: the port is in use
	Canceled bool   `json:"canceled,omitempty"` // with an error: by the user
}

// place is the host and port for the laptop to listen on. Port 0 means any.
type place struct {
	Host string `json:"host"`
	Port int    `json:"port,omitempty"`
}

var errMessage = errors.New("the peer does not use this protocol")

// ErrCanceled means that the user canceled the sign-in on the laptop.
var ErrCanceled = errors.New("canceled on the laptop")

func write(w io.Writer, m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(line) >= maxMessage {
		return errors.New("the message is too long")
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// reader returns a reader whose buffer holds the longest message.
func reader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, maxMessage) }

func read(r *bufio.Reader) (message, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return message{}, errMessage
	}
	if err != nil {
		return message{}, err
	}
	var m message
	if json.Unmarshal(bytes.TrimSpace(line), &m) != nil {
		return message{}, errMessage
	}
	return m, nil
}
