// Package sshbrowser opens the browser of a user's laptop for a sign-in on a
// remote host. The two ends talk over a private Unix socket that SSH forwards.
//
// The remote host sends an authorization URL. The [Helper] on the laptop shows a
// page that names the hosts, and goes on only when the person follows its link.
// It listens at the redirect URI of that request on 127.0.0.1, and sends the query
// of the one response with the right state back.
//
// It must not know tokens, code verifiers, profiles or where the credential is
// kept, and it never reads the environment.
//
// # Security
//
// A hostile remote host can ask, and nothing else: it cannot choose what the page
// says, open another URL than an authorization request with PKCE, or keep more
// than one request open. A code without its verifier, which never leaves the
// remote host, is useless to others.
package sshbrowser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// protocolVersion is what the laptop's greeting says.
const protocolVersion = 1

const (
	maxMessage  = 32 << 10         // of either side
	answerIn    = time.Second      // within which a socket that works greets
	openIn      = 10 * time.Second // within which the browser is started
	defaultLife = 10 * time.Minute // of a request; a sign-in's own default
)

// message is one line of JSON in either direction: the laptop's greeting with a
// version, the remote host's URL, then the laptop's opened and its query. An error
// ends the exchange.
type message struct {
	Version int    `json:"version,omitempty"`
	URL     string `json:"url,omitempty"`
	Opened  bool   `json:"opened,omitempty"`
	Query   string `json:"query,omitempty"`
	Error   string `json:"error,omitempty"`
}

var errMessage = errors.New("the other end does not speak this protocol")

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
