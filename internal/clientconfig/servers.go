package clientconfig

import (
	"strings"
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

	path []string // in the file
}

// Servers returns the servers that the files of all clients name. A file that
// cannot be read is an error beside the servers of the others; a missing one is
// not.
func Servers(p Places) (all []Server, errs []error) {
	for _, c := range Clients() {
		for _, path := range c.Files(p) {
			servers, err := c.servers(path)
			if err != nil {
				errs = append(errs, &FileError{path, err})
			}
			all = append(all, servers...)
		}
	}
	return all, errs
}

// servers returns those that a file names, in the order of their names.
func (c Client) servers(path string) (all []Server, err error) {
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
			s := Server{Client: c, File: path, Name: name, path: append(keys[:len(keys):len(keys)], name)}
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
