// Package proxystate keeps what the proxies of one profile on this host share: what
// the server said of itself last, and a sign-in in progress. It must not know
// tokens, how the user signs in, or the protocol: lists are JSON texts to it.
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

// maxSize bounds a snapshot. A server with more tools than that is one that only
// answers while it can be reached.
const maxSize = 8 << 20

// version is the format of a snapshot.
const version = 1

// Profile is the state of one profile's proxies. The zero Profile keeps nothing and
// shares nothing.
type Profile struct {
	folder file.Folder
	key    string // of the file names
	view   string // added to the name of the snapshot's file
	server string
}

// Of returns the state of a profile's proxies in a folder.
func Of(dir, profile, server string) Profile {
	// Names are hashed: they may hold what no file name may.
	sum := sha256.Sum256([]byte(profile))
	return Profile{folder: file.Folder{Dir: dir, Limit: maxSize}, key: hex.EncodeToString(sum[:12]), server: server}
}

// View returns the state for proxies to which the server shows itself in another way,
// because of options that are the same for all of them. They share sign-ins with
// the others, and have a snapshot of their own.
func (p Profile) View(options ...string) Profile {
	if len(options) > 0 {
		sum := sha256.Sum256([]byte(strings.Join(options, "\x00")))
		p.view = "." + hex.EncodeToString(sum[:6])
	}
	return p
}

// Snapshot is the last answer of a server about itself.
type Snapshot struct {
	Hello      json.RawMessage            // the result of initialize; nil: none is known
	Discovered json.RawMessage            // the result of server/discover; nil: none is known
	Lists      map[string]json.RawMessage // by method, such as tools/list: the list
}

// stored is a snapshot's file.
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

// Save replaces the snapshot. Where another process is doing so, that one counts.
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

// Page is what the user needs in order to approve a sign-in. All of it can be
// shown as it is.
type Page struct {
	URL      string    `json:"url"`            // to open; it holds the code, where there is one and the server allows that
	Code     string    `json:"code,omitempty"` // to compare, or to type at Plain
	Plain    string    `json:"plain,omitempty"`
	Expiry   time.Time `json:"expires_at,omitzero"`
	Client   string    `json:"client,omitempty"`
	Server   string    `json:"server"`             // the host that asks for the sign-in
	Issuer   string    `json:"issuer"`             // the host that issues the token
	SignIn   string    `json:"sign_in,omitempty"`  // the host of the page
	Warning  string    `json:"warning,omitempty"`  // about hosts of other domains
	Opened   bool      `json:"opened,omitempty"`   // a browser was started
	Redirect string    `json:"redirect,omitempty"` // where the browser ends; what it shows there can be pasted
}

// TryLock takes the lock of a sign-in, unless another process on this host has one
// in progress. The lock ends when its process ends.
func (p Profile) TryLock() (unlock func(), ours bool, err error) {
	if p.key == "" {
		return func() {}, true, nil
	}
	return p.folder.TryLock(p.key + ".sign-in")
}

// Show shares what the holder of the lock shows.
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

// Hide removes what was shown.
func (p Profile) Hide() error {
	if p.key == "" {
		return nil
	}
	return p.folder.Remove(p.key + ".page.json")
}

// Shown returns what the holder of the lock shows, if it does.
func (p Profile) Shown() (page Page, ok bool) {
	if p.key == "" {
		return page, false
	}
	data, err := p.folder.Read(p.key + ".page.json")
	return page, err == nil && json.Unmarshal(data, &page) == nil && page.URL != ""
}
