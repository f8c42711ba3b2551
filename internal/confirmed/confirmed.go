// Package confirmed records what this user confirmed on this host: which sources to
// read, commands to run and audiences to request for the non-interactive renewal of a
// stored credential. It must not know the command line, or what happens when a demand is
// not confirmed.
package confirmed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// Demand is what the non-interactive renewal of a stored record requires from
// this host: sources to read, commands to run, an audience for the CI job's ID
// token; and where the result is sent. It also records where a login sent a
// secret, so that a later login may send it there again. Others may have
// written the record, so a demand is fulfilled only if this user typed it on
// this host, which a note records, or names all of it again now.
//
// The JSON form is the content of a note, and so must not change.
type Demand struct {
	Profile       string       `json:"profile"`
	Server        string       `json:"server"`
	Resource      string       `json:"resource"`
	Issuer        string       `json:"issuer"`
	TokenEndpoint string       `json:"token_endpoint"`
	Flow          string       `json:"flow"`
	Scopes        []string     `json:"scopes"`
	Inputs        flows.Inputs `json:"inputs"`

	Endpoints mcplogin.Endpoints `json:"endpoints,omitzero"` // override the published ones
}

// Of returns the demand of a credential.
func Of(c mcplogin.Credential) Demand {
	return Demand{
		Profile: c.Profile, Server: c.Server, Resource: c.Resource, Issuer: c.Issuer.Issuer, TokenEndpoint: c.Issuer.TokenEndpoint,
		Flow: c.Flow, Scopes: slices.Sorted(slices.Values(c.Asked)), Inputs: c.Login.Inputs,
		Endpoints: c.Login.Endpoints,
	}
}

// note returns the name and content of a demand's file.
func (d Demand) note() (name string, content []byte) {
	content, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(err) // cannot fail for strings
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]) + ".json", append(content, '\n')
}

// Notes are the confirmed demands, one file each in a folder. They are not part
// of the record, so that an older version that rewrites the record does not
// remove them, and hosts that share a store do not overwrite each other's
// notes. Without a folder nothing is confirmed.
type Notes struct{ Dir string }

func (n Notes) folder() file.Folder { return file.Folder{Dir: n.Dir} }

// Has reports whether a demand is confirmed.
func (n Notes) Has(d Demand) (bool, error) {
	if n.Dir == "" {
		return false, nil
	}
	name, content := d.note()
	noted, err := n.folder().Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return string(noted) == string(content), err
}

// Add records that a demand is confirmed.
func (n Notes) Add(d Demand) error {
	name, content := d.note()
	return n.folder().Write(name, content)
}

// Remove removes the note of a demand, if it exists.
func (n Notes) Remove(d Demand) error {
	if known, err := n.Has(d); !known || err != nil {
		return err
	}
	name, _ := d.note()
	return n.folder().Remove(name)
}
