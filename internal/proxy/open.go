package proxy

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Local is where the clients on this machine reach the proxy over HTTP.
type Local struct {
	net.Listener
	Private bool // only this user can connect, without a token

	address string
}

// OpenLocal opens the address of --listen.
func OpenLocal(address string) (*Local, error) {
	ln, private, err := Listen(address)
	if errors.Is(err, ErrListen) {
		return nil, exit.Usagef("--listen %q: %w", address, err)
	}
	if unusable, ok := errors.AsType[*privsock.PathError](err); ok {
		return nil, exit.Usagef("--listen %s: %w", address, unusable)
	}
	if err != nil { // permanent, although it is a network error
		return nil, &exit.Error{Code: exit.Failed, Text: "--listen: " + err.Error()}
	}
	return &Local{ln, private, address}, nil
}

// Token returns the token that clients must send, and says where they find the proxy.
// Without a source it makes a token and shows it: that token is valid only on this machine,
// and only while the proxy runs.
func (l *Local) Token(given, source string) (token, where string, err error) {
	at := "http://" + l.Addr().String()
	switch {
	case l.Private:
		return "", l.address + ", which only you can connect to", nil
	case source == "":
		token = rand.Text()
		return token, fmt.Sprintf("%s/%s, or %s/ with the header Authorization: Bearer %s", at, token, at, token), nil
	}
	if err := CheckToken(given); err != nil {
		return "", "", exit.Usagef("--listen-token-from %s: %w", source, err)
	}
	return given, at + "/, with the token of " + source + " as bearer token, or as first element of the path", nil
}
