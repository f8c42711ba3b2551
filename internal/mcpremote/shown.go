package mcpremote

import "strings"

// hidden replaces a value that may be a secret.
const hidden = "[redacted]"

// Shown returns a command line of mcp-remote, or one that it was translated to, without
// the values that may be secrets: those of headers, unless they name a variable, of the
// client's registration, and those in URLs.
func Shown(words []string) []string {
	shown := make([]string, 0, len(words))
	flag := "" // whose value is next
	for _, word := range words {
		name, value, joined := strings.Cut(word, "=")
		switch {
		case flag != "":
			word, flag = shownValue(flag, word), ""
		case joined && hides(name):
			word = name + "=" + shownValue(name, value)
		case hides(word):
			flag = word
		case isURL(word):
			word = shownURL(word)
		}
		shown = append(shown, word)
	}
	return shown
}

// shownURL is a URL without its user and the values of its query.
func shownURL(text string) string {
	base, query, asks := strings.Cut(text, "?")
	scheme, rest, _ := strings.Cut(base, "://")
	host, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(host, "@"); at >= 0 {
		base = scheme + "://" + hidden + rest[at:]
	}
	if !asks {
		return base
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, valued := strings.Cut(pair, "="); valued {
			pairs[i] = name + "=" + hidden
		} else {
			pairs[i] = hidden
		}
	}
	return base + "?" + strings.Join(pairs, "&")
}

// hides reports whether the value of a flag may be a secret.
func hides(flag string) bool {
	switch flag {
	case "--header", "-header", "--static-oauth-client-info", "--static-oauth-client-metadata":
		return true
	}
	return false
}

// shownValue is the value of a flag as it can be shown.
func shownValue(flag, value string) string {
	name, text, found := strings.Cut(value, ":")
	switch {
	case !strings.HasSuffix(flag, "-header"):
		if strings.HasPrefix(value, "@") {
			return value // a file
		}
		return hidden
	case !found:
		return hidden
	case reference().MatchString(strings.TrimSpace(text)):
		return value
	}
	return name + ": " + hidden
}
