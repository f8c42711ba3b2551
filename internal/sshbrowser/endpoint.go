package sshbrowser

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

const (
	maxEndpoints = 8       // maximum endpoints of a folder to try
	portSuffix   = ".port" // of a file that holds a port and its secret
	maxSocket    = 103     // what every system takes as the path of a socket
	minSecret    = 16      // characters
)

// Folder returns the folder for the endpoints of one host. Hosts that share a home
// folder must not remove or use each other's sockets.
func Folder(base, host string) string {
	label, _, _ := strings.Cut(host, ".")
	label = strings.Map(func(r rune) rune {
		if r == '-' || ascii.Digit(r) || ascii.Lower(r) {
			return r
		}
		return -1
	}, strings.ToLower(label))
	sum := sha256.Sum256([]byte(host))
	return filepath.Join(base, label[:min(len(label), 16)]+"-"+hex.EncodeToString(sum[:4]))
}

// Prepare makes a folder that only this user can enter, removes endpoints that
// do not respond, and returns a path for a new socket, which sshd creates.
func Prepare(folder string) (socket string, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return "", err
	}
	prune(folder)
	socket = filepath.Join(folder, rand.Text()[:12])
	if len(socket) > maxSocket {
		return "", fmt.Errorf("the path %s is too long for a socket; set XDG_STATE_HOME to a shorter path", socket)
	}
	return socket, nil
}

// port is the content of a file that stands for a TCP port of 127.0.0.1.
type port struct {
	Port   int    `json:"port"`
	Secret string `json:"secret"`
}

func (p port) valid() bool {
	return p.Port >= firstPort && p.Port <= 65535 && len(p.Secret) >= minSecret
}

// Announce records in a folder of [Prepare] that ssh forwards a port of this host
// to the laptop with the secret. The record is kept, because ssh_config may
// forward the port again.
func Announce(folder string, number int, secret string) error {
	p := port{number, secret}
	if !p.valid() {
		return errors.New("not a port of 1024 or higher with a secret")
	}
	return writeJSON(filepath.Join(folder, strconv.Itoa(number)+portSuffix), p)
}

// Find returns the path of an endpoint with a responding laptop: the named one,
// or else the newest of a folder. It returns "" if none answers within a second.
func Find(ctx context.Context, named, folder string) string {
	paths := []string{named}
	if named == "" {
		paths = endpoints(folder)
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	answers := make([]bool, len(paths))
	var asking sync.WaitGroup
	for i, path := range paths {
		asking.Go(func() {
			if c, err := dial(ctx, path); err == nil {
				answers[i] = true
				_ = c.Close() // nothing was sent
			}
		})
	}
	asking.Wait()
	if i := slices.Index(answers, true); i >= 0 {
		return paths[i]
	}
	return ""
}

// endpoints returns the sockets and ports of a folder, newest first.
func endpoints(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // the folder does not exist
	}
	made := map[string]time.Time{}
	var paths []string
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && (info.Mode().Type() == fs.ModeSocket || isPort(e.Name(), info)) {
			path := filepath.Join(folder, e.Name())
			paths, made[path] = append(paths, path), info.ModTime()
		}
	}
	slices.SortFunc(paths, func(a, b string) int { return made[b].Compare(made[a]) })
	return paths[:min(len(paths), maxEndpoints)]
}

func isPort(name string, info fs.FileInfo) bool {
	return info.Mode().IsRegular() && strings.HasSuffix(name, portSuffix) && !strings.HasPrefix(name, ".")
}

// prune removes sockets without a listener, because sshd cannot replace them.
func prune(folder string) {
	for _, path := range endpoints(folder) {
		if strings.HasSuffix(path, portSuffix) {
			continue
		}
		conn, err := net.Dial("unix", path)
		if err == nil {
			_ = conn.Close() // nothing was said
		} else if !errors.Is(err, fs.ErrPermission) {
			_ = os.Remove(path) // best effort: the next search skips it
		}
	}
}

// connect connects to an endpoint. The secret is "" for a socket.
func connect(ctx context.Context, path string) (conn net.Conn, secret string, err error) {
	var d net.Dialer
	if !strings.HasSuffix(path, portSuffix) {
		conn, err = d.DialContext(ctx, "unix", path)
		return conn, "", err
	}
	p, err := readPort(path)
	if err != nil {
		return nil, "", err
	}
	conn, err = d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)))
	return conn, p.Secret, err
}

func readPort(path string) (p port, err error) {
	if err := readJSON(path, &p); err != nil {
		return p, err
	}
	if !p.valid() {
		return p, errMessage
	}
	return p, nil
}
