// Package proxystate stores the state that the proxies of one profile on this host
// share: the server's last description of itself, and a sign-in in progress. It
// must not know tokens, how the user signs in, or the protocol: lists are JSON
// texts to it.
//
// Anyone with write access to the folder may have written the data that it reads,
// and what a server said is hostile to begin with: sizes are bounded and what is
// not JSON of the expected shape is taken as absent.
package proxystate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/secrets/file"
)

// maxSize limits a snapshot, in bytes. Larger lists are not available while the
// server is unreachable.
const maxSize = 8 << 20

// version is the format of a snapshot.
const version = 1

// Profile is the state of one profile's proxies. The zero Profile stores and shares
// nothing.
type Profile struct {
	folder file.Folder
	key    string // of the file names
	view   string // added to the name of the snapshot's file
	server string
}

// Of returns the state of a profile's proxies in a folder.
func Of(dir, profile, server string) Profile {
	// Hash names, because they may contain characters that are invalid in file
	// names.
	sum := sha256.Sum256([]byte(profile))
	return Profile{folder: file.Folder{Dir: dir, Limit: maxSize}, key: hex.EncodeToString(sum[:12]), server: server}
}

// View returns the state for proxies with options that change the server's
// description. They share sign-ins with the others, but have a separate snapshot.
func (p Profile) View(options ...string) Profile {
	if len(options) > 0 {
		sum := sha256.Sum256([]byte(strings.Join(options, "\x00")))
		p.view = "." + hex.EncodeToString(sum[:6])
	}
	return p
}

// Snapshot is a server's last description of itself.
type Snapshot struct {
	Hello      json.RawMessage            // the result of initialize; nil: none is known
	Discovered json.RawMessage            // the result of server/discover; nil: none is known
	Lists      map[string]json.RawMessage // by method, such as tools/list: the list
}

// stored is the content of a snapshot's file.
type stored struct {
	Version    int                        `json:"version"`
	Server     string                     `json:"server"`
	Hello      json.RawMessage            `json:"initialize,omitempty"`
	Discovered json.RawMessage            `json:"discover,omitempty"`
	Lists      map[string]json.RawMessage `json:"lists,omitempty"`
}

// Load returns the last snapshot; an empty one if there is none that can be used.
func (p Profile) Load() Snapshot {
	if p.key == "" {
		return Snapshot{}
	}
	data, err := p.folder.Read(p.key + p.view + ".json")
	var s stored
	if err != nil || json.Unmarshal(data, &s) != nil || s.Version != version || s.Server != p.server {
		return Snapshot{}
	}
	return Snapshot{s.Hello, s.Discovered, s.Lists}
}

// Save replaces the snapshot, unless another process is doing so.
func (p Profile) Save(s Snapshot) error {
	if p.key == "" {
		return nil
	}
	data, err := json.Marshal(stored{version, p.server, s.Hello, s.Discovered, s.Lists})
	if err != nil {
		return err
	}
	if len(data) > maxSize {
		return fmt.Errorf("the server's lists are longer than %d bytes", maxSize)
	}
	unlock, ours, err := p.folder.TryLock(p.key + p.view + ".write")
	if err != nil || !ours {
		return err
	}
	defer unlock()
	return p.folder.Write(p.key+p.view+".json", data)
}

// Page is what the user needs in order to approve a sign-in. All of it is safe
// to display.
type Page struct {
	URL      string    `json:"url"`            // to open; it includes the code if possible
	Code     string    `json:"code,omitempty"` // to compare, or to type at Plain
	Plain    string    `json:"plain,omitempty"`
	Expiry   time.Time `json:"expires_at,omitzero"`
	Client   string    `json:"client,omitempty"`
	Server   string    `json:"server"`             // the host that asks for the sign-in
	Issuer   string    `json:"issuer"`             // the host that issues the token
	SignIn   string    `json:"sign_in,omitempty"`  // the host of the page
	Warning  string    `json:"warning,omitempty"`  // about hosts of other domains
	Opened   bool      `json:"opened,omitempty"`   // a browser was started
	Redirect string    `json:"redirect,omitempty"` // the redirect URI, whose URL in the browser can be pasted
}

// TryLock takes the lock of a sign-in, unless another process on this host has one
// in progress. The lock ends when its process ends.
func (p Profile) TryLock() (unlock func(), ours bool, err error) {
	if p.key == "" {
		return func() {}, true, nil
	}
	return p.folder.TryLock(p.key + ".sign-in")
}

// Show stores the page of the holder of the lock.
func (p Profile) Show(page Page) error {
	if p.key == "" {
		return nil
	}
	data, err := json.Marshal(page)
	if err != nil {
		return err
	}
	return p.folder.Write(p.key+".page.json", data)
}

// Hide removes the page.
func (p Profile) Hide() error {
	if p.key == "" {
		return nil
	}
	return p.folder.Remove(p.key + ".page.json")
}

// Shown returns the page of the holder of the lock, if any.
func (p Profile) Shown() (page Page, ok bool) {
	if p.key == "" {
		return page, false
	}
	data, err := p.folder.Read(p.key + ".page.json")
	return page, err == nil && json.Unmarshal(data, &page) == nil && page.URL != ""
}
