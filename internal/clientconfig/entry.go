package clientconfig

import (
	"os"
	"runtime"
	"slices"
	"strings"
)

// PlacesHere returns the places of this process.
func PlacesHere(getenv func(string) string) Places {
	project, err := os.Getwd()
	if err != nil {
		project = ""
	}
	home := getenv("HOME")
	if runtime.GOOS == "windows" {
		home = getenv("USERPROFILE")
	}
	return Places{Home: home, Project: project, GOOS: runtime.GOOS, Getenv: getenv}
}

// NewEntry returns what a client is to know of a profile. Program starts mcp-login,
// and the flags of reach have it find the credential.
func NewEntry(p Places, program, profile, url string, reach []string) Entry {
	helper := slices.Concat([]string{program, "headers", profile, "--json"}, reach)
	for i, word := range helper {
		helper[i] = Quote(p.GOOS, word)
	}
	return Entry{
		Profile: profile, URL: url,
		Proxy:     slices.Concat([]string{program, "proxy", profile, url}, reach),
		Helper:    strings.Join(helper, " "),
		Variables: variablesOfProxy(p.Getenv),
	}
}

// variablesOfProxy returns the names of the variables here that a proxy needs too.
func variablesOfProxy(getenv func(string) string) (names []string) {
	for _, name := range []string{
		"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
		"VAULT_ADDR", "VAULT_NAMESPACE", "VAULT_CACERT", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER",
	} {
		if getenv(name) != "" {
			names = append(names, name)
		}
	}
	return names
}
