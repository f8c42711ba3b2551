// Package clientconfig writes what goes into the configuration of MCP clients,
// and edits their files. It must not know how credentials are stored, nor prompt.
package clientconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Entry is one MCP server as a client's configuration needs it.
type Entry struct {
	Profile  string // what the server is called here
	URL      string
	Proxy    []string // the command that runs the proxy
	Helper   string   // the command line that prints the headers
	Variable string   // the variable that holds the Authorization header's value
	// Variables are those of this environment that the proxy needs. Codex gives its
	// children no others.
	Variables []string
}

// Name is the profile's name in the characters that every client takes:
// Claude Code and Codex refuse all others.
func (e Entry) Name() string {
	return strings.Map(func(r rune) rune {
		if ascii.Alphanumeric(r) || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, e.Profile)
}

// Via is the way by which a client gets the token.
type Via string

// The ways. Not every client has the last two.
const (
	Proxy    Via = "proxy"    // it runs mcp-login proxy, and need not know a token
	Helper   Via = "helper"   // it runs mcp-login headers when it connects
	Variable Via = "variable" // mcp-login exec starts it with a variable
)

// Ways returns every way.
func Ways() []Via { return []Via{Proxy, Helper, Variable} }

// Client is an MCP client whose configuration is known.
type Client struct {
	Name  string // for --for
	Title string // for people
	Note  string // what the user should know about the proxy; may be empty
	Else  string // another way to take in what was printed; may be empty

	place   func(Places) string // its file; "": it has none there
	project []string            // its files in a project's folder
	syntax  syntax              // nil: JSON
	keys    []string            // of the object that holds the servers
	shapes  map[Via]func(Entry) fields
}

// Default returns the best way that a client has: a helper, else the proxy.
func (c Client) Default() Via {
	if c.shapes[Helper] != nil {
		return Helper
	}
	return Proxy
}

// Can reports whether the client has a way to get the token.
func (c Client) Can(v Via) bool { return c.shapes[v] != nil }

// Ways returns those that the client has.
func (c Client) Ways() []Via {
	return slices.DeleteFunc(Ways(), func(v Via) bool { return !c.Can(v) })
}

// File returns the path of the client's file for all of the user's projects, ""
// if it has none.
func (c Client) File(p Places) string {
	if c.place == nil {
		return ""
	}
	return c.place(p)
}

// Files returns the paths of all files of the client, with those of the project.
func (c Client) Files(p Places) []string {
	var all []string
	if path := c.File(p); path != "" {
		all = append(all, path)
	}
	if p.Project != "" {
		for _, name := range c.project {
			all = append(all, joinSlash(p.Project, name))
		}
	}
	return all
}

// Snippet returns a file that holds nothing but the entry.
func (c Client) Snippet(e Entry, v Via) string {
	return string(c.format().snippet(c.keys, e.Name(), c.shapes[v](e)))
}

// format is JSON where nothing else is said.
func (c Client) format() syntax {
	if c.syntax == nil {
		return jsonSyntax{}
	}
	return c.syntax
}

// Names returns the names of the clients.
func Names() []string {
	var names []string
	for _, c := range Clients() {
		names = append(names, c.Name)
	}
	return names
}

// Find returns the client of a name.
func Find(name string) (Client, bool) {
	for _, c := range Clients() {
		if c.Name == name {
			return c, true
		}
	}
	return Client{}, false
}

// Quote makes a word safe in the shell by which a client runs its helper.
// cmd.exe knows double quotes alone; a path there can hold none.
func Quote(goos, word string) string {
	if goos != "windows" {
		return suggest.Quote(word)
	}
	if strings.ContainsAny(word, " &()^;,=%!") {
		return `"` + word + `"`
	}
	return word
}

// CannotError says that a client has no such way to get a token.
type CannotError struct {
	Client Client
	Via    Via
}

func (e *CannotError) Error() string {
	return fmt.Sprintf("%s cannot get its token by %q; use %s", e.Client.Title, e.Via, joinWays(e.Client.Ways()))
}

func joinWays(ways []Via) string { return strings.Join(names(ways), " or ") }

func names(ways []Via) (all []string) {
	for _, v := range ways {
		all = append(all, string(v))
	}
	return all
}

// Way returns the way that a value of --via names; "" names the client's default.
func (c Client) Way(text string) (Via, error) {
	switch via := cmp.Or(Via(text), c.Default()); {
	case !slices.Contains(Ways(), via):
		return "", exit.Unknown("--via", text, names(Ways()))
	case !c.Can(via):
		return "", exit.Usage(fmt.Errorf("--via: %w", &CannotError{c, via}))
	default:
		return via, nil
	}
}
