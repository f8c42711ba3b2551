package sshbrowser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// NewHelper returns the helper for one host; "": for any. Memory is the file with
// the authorization servers that need no confirmation for that host. Say is called
// with each request.
func NewHelper(open func(ctx context.Context, url string) error, host, memory string, say func(format string, a ...any)) *Helper {
	h := &Helper{Open: open, From: host, Local: netcheck.IsLoopback(host), Asked: func(server string, err error) {
		if err != nil {
			say("rejected a sign-in: %v", err)
			return
		}
		say("opened the browser to sign in at %s", server)
	}}
	if host == "" {
		h.From = "The remote host" // the host is unknown, so nothing is stored
	} else {
		h.Memory = &File{Path: memory, Host: host}
	}
	return h
}

// Forget removes the stored choices of all hosts: see [File].
func Forget(memory string) error {
	if err := os.Remove(memory); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// PrepareRemote makes the folder for laptops on the remote host, and returns what the laptop
// asks for: a path in it, at which sshd makes a socket. Given a port that ssh forwards,
// it notes that with the secret that it reads, and returns "".
func PrepareRemote(folder string, port int, secret io.Reader) (string, error) {
	path, err := Prepare(folder)
	if err != nil {
		return "", err
	}
	if port != 0 {
		line, err := bufio.NewReader(secret).ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("read the secret from standard input: %w", err)
		}
		return "", Announce(folder, port, strings.TrimSpace(line))
	}
	if runtime.GOOS == "windows" { // its sshd cannot forward sockets
		path = PortAnswer
	}
	return path + "\n", nil
}

// Link creates the link to the host, announces it there, and makes the helper use
// its secret. It returns the listener at its port here.
func (s *SSH) Link(ctx context.Context, h *Helper) (net.Listener, Link, error) {
	link, err := LinkTo(s.Links, s.Host)
	if err != nil {
		return nil, link, err
	}
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(link.Local)))
	if err != nil {
		return nil, link, fmt.Errorf("port %d is in use; another mcp-login browser or ssh may serve %s", link.Local, s.Host)
	}
	if err := s.Announce(ctx, link); err != nil {
		return nil, link, errors.Join(err, l.Close())
	}
	h.Secret = link.Secret
	return l, link, nil
}

// Usage says how to forward a link: once by an option of ssh, or always by ssh_config.
// Sshd does not replace a socket that an ended connection left, so ssh_config cannot name
// one.
func (l Link) Usage(host string) []string {
	return []string{
		fmt.Sprintf("next: ssh -R %s %s", l.Forward(), suggest.Command{host}),
		"or, for every connection, in ~/.ssh/config:",
		"    Host " + host,
		fmt.Sprintf("        RemoteForward 127.0.0.1:%d 127.0.0.1:%d", l.Remote, l.Local),
	}
}
