// Package profilename derives the name of a profile from the URL of its MCP
// server. It must not know how credentials are stored, or the command line.
package profilename

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"golang.org/x/net/publicsuffix"
)

// Known are the profiles that exist.
type Known struct {
	// Names are those of all profiles.
	Names []string
	// Server returns the URL of the server that a profile belongs to; "" if
	// unknown.
	Server func(ctx context.Context, name string) string
}

// For returns the name of the profile for a URL: the one that belongs to it, else
// one derived from the host. If that belongs to another URL, it adds four hex
// digits of the URL's SHA-256.
func For(ctx context.Context, server string, known Known) string {
	base := Base(server)
	suffixed := fmt.Sprintf("%s-%.2x", base, sha256.Sum256([]byte(server)))
	taken := slices.Contains(known.Names, base)
	// The derived names come first: reading a profile can cost a request.
	for _, name := range append([]string{base, suffixed}, known.Names...) {
		if slices.Contains(known.Names, name) && known.Server(ctx, name) == server {
			return name
		}
	}
	if taken {
		return suffixed
	}
	return base
}

// Base returns the name that the host of a URL suggests: that of its registrable
// domain without the public suffix, such as notion for mcp.notion.com.
func Base(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return "server"
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if netcheck.IsLoopback(host) {
		return "localhost"
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "ip-" + strings.NewReplacer(".", "-", ":", "-", "%", "-").Replace(host)
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		host = domain
	}
	name, _, _ := strings.Cut(host, ".")
	return clean(name)
}

// clean keeps characters that every store, shell variable and client accepts in
// a name.
func clean(name string) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		if ascii.Lower(r) || ascii.Digit(r) || r == '_' {
			return r
		}
		return '-'
	}, name), "-")
	if name == "" {
		return "server"
	}
	return name
}

// Address returns the URL that the user means by an address such as
// mcp.notion.com/mcp or localhost:8080/mcp. Without a scheme that is https, and http
// for this machine. It reports false for what can only be a name.
func Address(text string) (server string, ok bool) {
	if strings.Contains(text, "://") {
		return text, true
	}
	u, err := url.Parse("https://" + text)
	if err != nil || u.User != nil || u.Hostname() == "" {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
	_, err = netip.ParseAddr(host)
	switch suffix, listed := publicsuffix.PublicSuffix(host); {
	case netcheck.IsLoopback(host):
		if u.Port() == "" && u.Path == "" {
			return "", false // possibly a name
		}
		u.Scheme = "http"
	case err == nil, listed && suffix != host:
	default:
		return "", false
	}
	return u.String(), true
}

// IsRoot reports whether a URL is that of a whole host, without a path.
func IsRoot(server string) bool {
	u, err := url.Parse(server)
	return err == nil && strings.Trim(u.Path, "/") == ""
}

// Split distinguishes names and addresses among one or two arguments, in either
// order. The name is "" if there is only an address, and the server if there is only
// a name. Two addresses are an error.
func Split(args []string) (name, server string, err error) {
	if slices.Contains(args, "") { // of an unset variable, perhaps
		return "", "", errors.New("a name or URL is empty")
	}
	server, isURL := Address(args[0])
	switch {
	case len(args) == 1 && !isURL:
		return args[0], "", nil
	case len(args) == 1:
		return "", server, nil
	case isURL:
		if _, both := Address(args[1]); both {
			return "", "", fmt.Errorf("%q and %q are both URLs; use a name and one URL", args[0], args[1])
		}
		return args[1], server, nil // in reverse order
	}
	if server, isURL = Address(args[1]); !isURL {
		server = args[1]
	}
	return args[0], server, nil
}
