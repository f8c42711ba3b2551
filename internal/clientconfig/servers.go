package clientconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/oauth"
)

// Server is an MCP server that a client's file names.
type Server struct {
	Client Client
	File   string
	Name   string
	// URL is that of a remote server, or of one that mcp-remote or mcp-login leads
	// to; "" for any other.
	URL string
	// Command starts a local server; the program is the first. Nil for a remote one.
	Command []string
	// Project says that the file is of a project's folder, whose authors wrote it.
	Project bool

	path []string // in the file
}

// Where names the file and the client that reads it, for people.
func (s Server) Where() string { return fmt.Sprintf("%s (%s)", s.File, s.Client.Title) }

// Host returns the host of the URL.
func (s Server) Host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Named returns a server for each URL that the files have under a name. Where several
// have the same URL, it is the one in the user's own file. URLs with variables in them
// are skipped.
func Named(p Places, name string) (found []Server, unread []error) {
	all, unread := Servers(p)
	slices.SortStableFunc(all, func(a, b Server) int {
		switch {
		case a.Project == b.Project:
			return 0
		case b.Project:
			return -1
		}
		return 1
	})
	for _, s := range all {
		_, err := oauth.CheckURL(s.URL)
		known := slices.ContainsFunc(found, func(f Server) bool { return f.URL == s.URL })
		if err == nil && !known && strings.EqualFold(s.Name, name) && !strings.ContainsAny(s.URL, "{}") {
			found = append(found, s)
		}
	}
	return found, unread
}

// Servers returns the servers that the files of all clients name. A file that
// cannot be read is an error beside the servers of the others; a missing one is
// not.
func Servers(p Places) (all []Server, errs []error) {
	for _, c := range Clients() {
		for _, path := range c.Files(p) {
			project := path != c.File(p)
			servers, err := c.servers(path, p, project)
			if err != nil {
				errs = append(errs, &FileError{path, err})
			}
			all = append(all, servers...)
		}
	}
	return all, errs
}

// maxProjectFile is the maximum size of a file of a project. Others wrote it, and how
// deep it is nested must not matter.
const maxProjectFile = 256 << 10

// ofProject refuses a file of a project's folder that leads out of it, is larger than
// such files are, or belongs to another user.
func ofProject(path, dir string) error {
	file, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // readDocument knows links that lead nowhere
	}
	if err != nil {
		return err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	if rel, err := filepath.Rel(dir, file); err != nil || !filepath.IsLocal(rel) {
		return errors.New("it is a link that leads out of the folder of the project")
	}
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxProjectFile {
		err = fmt.Errorf("it has more than %d KiB", maxProjectFile>>10)
	}
	return err
}

// foreign refuses a file of another user. Those of root count as everyone's.
func foreign(path string) error {
	if uid, known := paths.Owner(path); known && uid != os.Geteuid() && uid != 0 {
		return fmt.Errorf("it belongs to user %d", uid)
	}
	return nil
}

// servers returns those that a file names, in the order of their names.
func (c Client) servers(path string, p Places, project bool) (all []Server, err error) {
	if project {
		err = ofProject(path, p.Project)
	}
	if err == nil {
		err = foreign(path)
	}
	if err != nil {
		return nil, err
	}
	d, err := readDocument(path)
	if err != nil || !d.exists {
		return nil, err
	}
	m, err := c.format().decode(d.text)
	if err != nil {
		return nil, err
	}
	for _, keys := range c.places(m) {
		object, _ := lookup(m, keys)
		servers, _ := object.(map[string]any)
		for _, name := range sortedKeys(servers) {
			entry, ok := servers[name].(map[string]any)
			if !ok || name == "servers" && c.Name == "opencode" {
				continue
			}
			s := Server{Client: c, File: path, Name: name, Project: project, path: append(keys[:len(keys):len(keys)], name)}
			s.read(entry)
			all = append(all, s)
		}
	}
	return all, nil
}

// places returns the paths of the objects that hold servers. Claude Code has one
// for each project too, and opencode two forms.
func (c Client) places(m map[string]any) [][]string {
	all := [][]string{c.keys}
	switch c.Name {
	case "claude-code":
		projects, _ := m["projects"].(map[string]any)
		for _, dir := range sortedKeys(projects) {
			all = append(all, []string{"projects", dir, "mcpServers"})
		}
	case "opencode":
		all = append(all, c.keys[:1])
	}
	return all
}

// read takes from an entry what the clients' forms have in common.
func (s *Server) read(entry map[string]any) {
	if inner, ok := entry["transport"].(map[string]any); ok { // Cline's other form
		entry = inner
	}
	for _, key := range []string{"url", "httpUrl", "serverUrl", "uri", "baseUrl"} {
		if url, ok := entry[key].(string); ok && s.URL == "" {
			s.URL = url
		}
	}
	if s.URL != "" {
		return
	}
	s.Command = commandOf(entry)
	if words, ok := remoteArguments(s.Command); ok && len(words) > 0 {
		s.URL = words[0]
	}
	if words, ok := ownArguments(s.Command); ok {
		for _, word := range words {
			if strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://") {
				s.URL = word
				return
			}
		}
	}
}

// commandOf returns the program and the arguments of a local server.
func commandOf(entry map[string]any) (words []string) {
	for _, key := range []string{"command", "cmd"} {
		switch v := entry[key].(type) {
		case string:
			words = []string{v}
		case []any: // opencode
			return appendStrings(nil, v)
		}
	}
	args, _ := entry["args"].([]any)
	if words == nil {
		return nil
	}
	return appendStrings(words, args)
}

func appendStrings(words []string, list []any) []string {
	for _, v := range list {
		word, ok := v.(string)
		if !ok {
			return nil
		}
		words = append(words, word)
	}
	return words
}
