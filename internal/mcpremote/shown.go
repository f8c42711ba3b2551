package mcpremote

import "strings"

// hidden replaces a value that may be a secret.
const hidden = "[redacted]"

// Shown returns a command line of mcp-remote, or one that it was translated to, without
// the values that may be secrets: those of headers, unless they name a variable, and of
// the client's registration.
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
		}
		shown = append(shown, word)
	}
	return shown
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
