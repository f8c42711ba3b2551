package oauth

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/printable"
)

// maxURL limits a URL in bytes: longer than any endpoint needs, short enough
// for terminals, proxies and QR codes.
const maxURL = 2048

// URLError says why a URL is rejected. Its text never contains credentials or a
// query.
type URLError struct {
	URL    string // without userinfo, query and fragment; "" if it could not be parsed
	Reason string
	Try    string // the https URL that may be meant; "": none
}

func (e *URLError) Error() string {
	if e.URL == "" {
		return "URL " + e.Reason
	}
	return "URL " + e.URL + " " + e.Reason
}

// CheckURL parses a URL and checks that it may be requested or displayed:
// absolute, https (http for localhost and loopback addresses alone), with an
// ASCII host, without userinfo, fragment or control characters. Otherwise it
// returns a *URLError.
func CheckURL(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, &URLError{Reason: "is longer than 2048 bytes"}
	}
	for _, r := range raw {
		if !printable.Rune(r) || unicode.IsSpace(r) {
			return nil, &URLError{Reason: "contains a space, control or invisible character"}
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &URLError{Reason: "cannot be read"}
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	if strings.Contains(raw, "#") {
		return nil, &URLError{URL: displayURL(u), Reason: "has a fragment"}
	}
	return u, nil
}

// checkURL is the part of CheckURL for a parsed URL.
func checkURL(u *url.URL) error {
	refuse := func(why string) error { return &URLError{URL: displayURL(u), Reason: why, Try: secured(u)} }
	switch {
	case u.User != nil:
		return refuse("contains a user name or password")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("does not begin with https://")
	case u.Opaque != "" || u.Hostname() == "":
		return refuse("has no host")
	case !ascii.Only(u.Host, ascii.Visible):
		return refuse("has a host that is not ASCII; use its xn-- form")
	case isUnusualNumber(u.Hostname()):
		return refuse("has a number as its host that is not an IP address")
	case u.Scheme == "http" && !netcheck.IsLoopback(u.Hostname()):
		return refuse("is not https; only a server on this machine can use http")
	}
	return nil
}

// secured returns the https URL that may be meant by one with http or without a scheme,
// "" if there is none.
func secured(u *url.URL) string {
	if u.User != nil || u.RawQuery != "" || u.Scheme == "" && !strings.Contains(u.Path, ".") {
		return ""
	}
	meant := *u
	switch u.Scheme {
	case "http":
		meant.Scheme = "https"
	case "":
		meant = url.URL{Scheme: "https", Opaque: "//" + strings.TrimLeft(u.Path, "/")}
	default:
		return ""
	}
	if _, err := CheckURL(meant.String()); err != nil {
		return ""
	}
	return meant.String()
}

// isUnusualNumber reports whether host is a form such as 2130706433, 0x7f.1 or
// 127.1, which some resolvers and proxies interpret as an IPv4 address, but
// netip does not.
func isUnusualNumber(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	last := strings.TrimSuffix(host, ".")
	last = strings.ToLower(last[strings.LastIndexByte(last, '.')+1:])
	_, err := strconv.ParseUint(strings.TrimPrefix(last, "0x"), 16, 64)
	return err == nil && (strings.HasPrefix(last, "0x") || ascii.Only(last, ascii.Digit))
}

// displayURL returns a URL for error texts: without userinfo, query or
// fragment.
func displayURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return Sanitize(bare.String(), 200)
}

// Sanitize returns a server's text in a form that is safe to display: without
// control, bidi, zero-width and other invisible characters, with single spaces
// as white space, and with at most limit characters.
func Sanitize(s string, limit int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = n > 0
			continue
		}
		if !printable.Rune(r) {
			continue
		}
		if n >= limit || space && n+1 >= limit {
			break
		}
		if space {
			b.WriteByte(' ')
			n++
		}
		space = false
		b.WriteRune(r)
		n++
	}
	return b.String()
}
