package sshbrowser

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/mcp-login/mcp-login/internal/atomicfile"
)

// Link is a TCP link to one remote host: the port there, the port here, and the
// shared secret. It is stored, because ssh_config names the ports.
type Link struct {
	Remote int    `json:"remote_port"`
	Local  int    `json:"local_port"`
	Secret string `json:"secret"`
}

// The ports of links are below those that systems give to outgoing connections.
const (
	lowestLink  = 20000
	highestLink = 32767
)

// LinkTo returns the link to a host, which is made at the first call.
func LinkTo(folder, host string) (Link, error) {
	path := filepath.Join(Folder(folder, host), "link.json")
	var l Link
	switch err := readJSON(path, &l); {
	case err == nil && port{l.Remote, l.Secret}.valid() && port{l.Local, l.Secret}.valid():
		return l, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return l, err
	}
	span := big.NewInt(highestLink - lowestLink)
	for _, number := range []*int{&l.Remote, &l.Local} {
		n, err := rand.Int(rand.Reader, span)
		if err != nil {
			return l, err
		}
		*number = lowestLink + int(n.Int64())
	}
	if l.Local == l.Remote {
		l.Local++ // both may be on one machine
	}
	l.Secret = rand.Text()
	return l, writeJSON(path, l)
}

// File is a [Memory] in a file, for one remote host.
type File struct {
	Path string
	Host string

	mu sync.Mutex // guards the file against this process
}

// Knows reports whether the user said not to be asked about a server for this
// host. An unreadable file counts as empty.
func (f *File) Knows(server string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	hosts, err := f.read()
	return err == nil && slices.Contains(hosts[f.Host], server)
}

// Keep records that the user need not be asked again.
func (f *File) Keep(server string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	hosts, err := f.read()
	if err != nil {
		return err
	}
	if !slices.Contains(hosts[f.Host], server) {
		hosts[f.Host] = append(hosts[f.Host], server)
	}
	return writeJSON(f.Path, hosts)
}

func (f *File) read() (map[string][]string, error) {
	hosts := map[string][]string{}
	if err := readJSON(f.Path, &hosts); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return hosts, nil
}

// readJSON reads a small file of this program.
func readJSON(path string, v any) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() > maxMessage {
		return fmt.Errorf("%s is too long", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if json.Unmarshal(content, v) != nil {
		return fmt.Errorf("%s cannot be read; remove it", path)
	}
	return nil
}

// writeJSON replaces a file that only this user can read.
func writeJSON(path string, v any) error {
	content, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(path, content, 0o600)
}
