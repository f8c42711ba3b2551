package settings

import (
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// WithPlaces returns the keys with defaults that depend on the user: the default
// files and folders. Without a home folder they have none.
func WithPlaces(keys []Key, getenv func(name string) string) []Key {
	dirs := paths.Dirs{Getenv: getenv}
	places := map[string]func() (string, error){
		"profile-dir": dirs.Data, "socket": dirs.AgentSocket, "log-file": dirs.AgentLog, "audit": dirs.AgentAudit, "browser-sock": dirs.BrowserSocket,
	}
	own := append([]Key{}, keys...)
	for i, k := range own {
		find, known := places[k.Name]
		if !known || k.Default != "" {
			continue
		}
		if path, err := find(); err == nil {
			own[i].Default = path
		}
	}
	return own
}

// CheckProfiles rejects a name that is neither in the file nor in a store. If a
// store cannot be listed it rejects none, because the settings may show why.
func (s Settings) CheckProfiles(names []string, list func() ([]string, error)) error {
	stored, err := list()
	if err != nil {
		return nil
	}
	known := append(s.File.Profiles(), stored...)
	for _, name := range names {
		if !slices.Contains(known, name) {
			return errorf("no profile %q is stored or has a table [profile.%s]%s", name, name, strings.TrimSuffix(suggest.DidYouMean(name, known), "."))
		}
	}
	return nil
}

// All returns the values of keys.
func (s Settings) All(keys []Key) (values []Value, err error) {
	for _, k := range keys {
		v, err := s.Get(k)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}
