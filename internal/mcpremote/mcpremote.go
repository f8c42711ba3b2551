// Package mcpremote translates the command line of the npm package mcp-remote
// into that of mcp-login proxy. It must not know what the options do.
package mcpremote

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// Translation is the command line of mcp-login proxy that does the same.
type Translation struct {
	Args  []string // the URL first
	Notes []string // about options that need no counterpart
}

// UnsupportedError is an option that has no counterpart.
type UnsupportedError struct {
	Option string
	Hint   string // what to do instead
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("mcp-login has no option like %s of mcp-remote; %s", e.Option, e.Hint)
}

// option is an option of mcp-remote.
type option struct {
	value   bool                           // it has a value
	ours    string                         // mcp-login's flag with the same meaning
	note    string                         // why it needs none
	convert func(string) ([]string, error) // for other options
	same    bool                           // mcp-login has a flag with this name and meaning
}

// options are those of mcp-remote.
func options() map[string]option {
	return map[string]option{
		"--header":                       {value: true, same: true, convert: header},
		"--header-file":                  {value: true, convert: unsupported("--header-file", "use --header-from NAME=file:PATH for each header")},
		"--transport":                    {value: true, convert: transport},
		"--protocol":                     {value: true, note: "mcp-login uses the newest revision that the server supports"},
		"--host":                         {value: true, ours: "--redirect-host"},
		"--callback-path":                {value: true, ours: "--redirect-path"},
		"--auth-success-url":             {value: true, convert: unsupported("--auth-success-url", "leave it out; the browser shows a page of mcp-login")},
		"--auth-timeout":                 {value: true, convert: seconds("--wait")},
		"--allow-http":                   {note: "http is accepted only for this machine"},
		"--resource":                     {value: true, convert: unsupported("--resource", "the resource comes from the server's metadata; use --name NAME for each of several sign-ins to one server")},
		"--disable-resource-parameter":   {ours: "--no-resource"},
		"--authorize-param":              {value: true, ours: "--auth-param"},
		"--static-oauth-client-metadata": {value: true, convert: staticMetadata},
		"--static-oauth-client-info":     {value: true, convert: staticClient},
		"--client-metadata-url":          {value: true, same: true, ours: "--client-metadata-url"},
		"--device-code":                  {convert: flow("device")},
		"--client-credentials":           {convert: flow("client-credentials")},
		"--token-endpoint":               {value: true, same: true, ours: "--token-endpoint"},
		"--use-id-token":                 {same: true, ours: "--use-id-token"},
		"--ignore-tool":                  {value: true, ours: "--deny-tool"},
		"--keep-alive":                   {note: "mcp-login reconnects by itself"},
		"--ping-interval":                {value: true, note: "mcp-login reconnects by itself"},
		"--connect-timeout":              {value: true, convert: seconds("--timeout")},
		"--headers-timeout":              {value: true, note: "answers have no time limit"},
		"--body-timeout":                 {value: true, note: "answers have no time limit"},
		"--ipv4":                         {note: "IPv4 is tried where IPv6 does not answer"},
		"--enable-proxy":                 {note: "HTTPS_PROXY and NO_PROXY always apply"},
		"--disable-cookies":              {note: "cookies are never kept"},
		"--debug":                        {convert: logLevel("debug")},
		"--silent":                       {convert: logLevel("disabled")},
	}
}

// Translate reads the arguments of mcp-remote. The error names the argument.
func Translate(args []string) (Translation, error) {
	r := reader{ours: func(string) (bool, bool) { return false, false }}
	t, err := r.read(args)
	switch {
	case err != nil:
		return Translation{}, err
	case r.server == "":
		return Translation{}, errors.New("no URL follows mcp-remote")
	case r.unknown != "":
		return Translation{}, &UnsupportedError{r.unknown, "see: mcp-login proxy --help"}
	}
	at := slices.Index(t.Args, r.server)
	t.Args = slices.Concat(t.Args[at:at+1], t.Args[:at], t.Args[at+1:])
	return t, checkHTTP(r.server)
}

// Adapt returns the arguments of mcp-login proxy for some that may be mcp-remote's, in
// part or all of them: those that mcp-login has too, in the same meaning, stay. The
// function says whether mcp-login has a flag, and whether that takes a value.
func Adapt(args []string, ours func(flag string) (known, value bool)) ([]string, error) {
	r := reader{ours: ours}
	t, err := r.read(args)
	if err == nil && slices.Contains(args, "--allow-http") && r.server != "" {
		err = checkHTTP(r.server)
	}
	if err != nil {
		return nil, err
	}
	return t.Args, nil
}

// checkHTTP refuses what --allow-http allows: a token in plain text on a network. What is
// no URL it leaves to those who use it.
func checkHTTP(server string) error {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "https" || netcheck.IsLoopback(u.Hostname()) {
		return nil
	}
	return &UnsupportedError{"--allow-http", "use an https URL: over http, anyone on the network path can read the token"}
}

func isURL(word string) bool {
	return strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://")
}

func isPort(word string) bool {
	n, err := strconv.ParseUint(word, 10, 16)
	return err == nil && n > 0
}

func unsupported(name, hint string) func(string) ([]string, error) {
	return func(string) ([]string, error) { return nil, &UnsupportedError{name, hint} }
}

func flow(name string) func(string) ([]string, error) {
	return func(string) ([]string, error) { return []string{"--flow", name}, nil }
}

func logLevel(level string) func(string) ([]string, error) {
	return func(string) ([]string, error) { return []string{"--log-level", level}, nil }
}

func seconds(ours string) func(string) ([]string, error) {
	return func(value string) ([]string, error) {
		if _, err := strconv.ParseUint(value, 10, 31); err != nil {
			return nil, fmt.Errorf("%q is not a number of seconds", value)
		}
		return []string{ours, value + "s"}, nil
	}
}

func transport(value string) ([]string, error) {
	switch value {
	case "http-first", "sse-first", "auto":
		return nil, nil // detected at run time
	case "http-only", "http":
		return []string{"--transport", "http"}, nil
	case "sse-only", "sse":
		return []string{"--transport", "sse"}, nil
	}
	return nil, fmt.Errorf("--transport %q: use auto, http or sse", value)
}

var reference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`) })

// header converts --header "Name: value". A value that is a variable of
// mcp-remote's environment is read from there; secrets do not belong in a command
// line.
func header(text string) ([]string, error) {
	name, value, found := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !found || name == "" {
		return nil, errors.New("--header: use 'Name: value'") // the text may be a secret
	}
	if strings.EqualFold(name, "Authorization") {
		return nil, &UnsupportedError{"--header Authorization", "this server uses your own token, so no sign-in is needed; leave the entry as it is"}
	}
	if m := reference().FindStringSubmatch(value); m != nil {
		return []string{"--header-from", name + "=env:" + m[1]}, nil
	}
	return []string{"--header", name + ": " + value}, nil
}

// staticMetadata converts --static-oauth-client-metadata, the members of a
// registration request (RFC 7591 §2).
func staticMetadata(text string) ([]string, error) {
	members, err := object("--static-oauth-client-metadata", text)
	if err != nil {
		return nil, err
	}
	flags := map[string]string{"client_name": "--client-name", "scope": "--scope", "token_endpoint_auth_method": "--client-auth"}
	var args []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value, ok := members[name].(string)
		if flags[name] == "" || !ok {
			return nil, &UnsupportedError{fmt.Sprintf("%q in --static-oauth-client-metadata", name), "leave it out, or register the client yourself and add --client-id"}
		}
		args = append(args, flags[name], value)
	}
	return args, nil
}

// staticClient converts --static-oauth-client-info, a registered client.
func staticClient(text string) ([]string, error) {
	const secretHint = "put the secret into a file and use --client-id ID --client-secret-from file:PATH"
	if strings.HasPrefix(text, "@") {
		return nil, &UnsupportedError{"a file in --static-oauth-client-info", secretHint}
	}
	members, err := object("--static-oauth-client-info", text)
	if err != nil {
		return nil, err
	}
	id, _ := members["client_id"].(string)
	if id == "" {
		return nil, errors.New("--static-oauth-client-info has no client_id")
	}
	if members["client_secret"] != nil {
		return nil, &UnsupportedError{"a secret in --static-oauth-client-info", secretHint}
	}
	return []string{"--client-id", id}, nil
}

func object(name, text string) (members map[string]any, err error) {
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return nil, fmt.Errorf("%s is not a JSON object", name)
	}
	return members, nil
}
