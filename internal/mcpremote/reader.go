package mcpremote

import (
	"fmt"
	"slices"
	"strings"
)

// reader reads a command line word by word.
type reader struct {
	ours       func(flag string) (known, value bool)
	server     string // the first word that is no option, if it is a URL
	plain      int    // words so far that are no options
	unknown    string // the first unknown word
	registered bool   // the client was registered for mcp-remote
	Translation
}

func (r *reader) read(args []string) (Translation, error) {
	for len(args) > 0 && args[0] != "--" {
		words := 1
		if !strings.HasPrefix(args[0], "-") {
			r.addPlain(args[0])
		} else {
			var err error
			if words, err = r.readOption(args); err != nil {
				return Translation{}, err
			}
		}
		args = args[words:]
	}
	r.Args = append(r.Args, args...)
	if r.registered && slices.Contains(r.Args, "--redirect-port") {
		r.addRedirect("--redirect-host", "localhost")
		r.addRedirect("--redirect-path", "/oauth/callback")
	}
	return r.Translation, nil
}

// readOption reads an option and its value, and returns how many words they are.
func (r *reader) readOption(args []string) (words int, err error) {
	name, value, joined := strings.Cut(args[0], "=")
	o, theirs := options()[name]
	known, takes := r.ours(strings.TrimLeft(name, "-"))
	if theirs {
		takes = o.value
	} else if !known && r.unknown == "" {
		r.unknown = args[0]
	}
	words = 1
	if takes && !joined {
		if len(args) == 1 {
			return 0, fmt.Errorf("%s has no value", name)
		}
		words, value = 2, args[1]
	}
	if !theirs || known && o.same {
		r.Args = append(r.Args, args[:words]...)
		return words, nil
	}
	if joined && !o.value {
		return 0, fmt.Errorf("%s has no value, and here it has one", name)
	}
	return words, r.add(name, o, value)
}

// addPlain adds a word that is no option. Digits after the URL are a port.
func (r *reader) addPlain(word string) {
	r.plain++
	switch {
	case r.plain == 1 && isURL(word):
		r.server = word
	case r.plain == 2 && r.server != "" && isPort(word):
		r.Args = append(r.Args, "--redirect-port")
	case r.unknown == "":
		r.unknown = word
	}
	r.Args = append(r.Args, word)
}

func (r *reader) add(name string, o option, value string) error {
	switch {
	case name == "--resource":
		return r.addResource(o, value)
	case o.convert != nil:
		words, err := o.convert(value)
		if err != nil {
			return err
		}
		r.registered = r.registered || name == "--static-oauth-client-info"
		r.Args = append(r.Args, words...)
	case o.note != "":
		r.Notes = append(r.Notes, fmt.Sprintf("%s is left out: %s", name, o.note))
	case o.value:
		r.Args = append(r.Args, o.ours, value)
	default:
		r.Args = append(r.Args, o.ours)
	}
	return nil
}

// addResource adds a resource (RFC 8707). The default is the server.
func (r *reader) addResource(o option, value string) error {
	switch strings.TrimRight(value, "/") {
	case "":
		r.Args = append(r.Args, "--no-resource")
	case strings.TrimRight(r.server, "/"):
		r.Notes = append(r.Notes, "--resource is left out: it is the server itself")
	default:
		_, err := o.convert(value)
		return err
	}
	return nil
}

// addRedirect adds a part of the redirect URL that mcp-remote has where nothing is said.
// It matters to a client that was registered for it.
func (r *reader) addRedirect(flag, value string) {
	if !slices.Contains(r.Args, flag) {
		r.Args = append(r.Args, flag, value)
	}
}
