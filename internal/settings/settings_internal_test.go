package settings

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var testKeys = []Key{
	{Name: "store", Variable: "MCP_LOGIN_STORE"},
	{Name: "min-ttl", Variable: "MCP_LOGIN_MIN_TTL", Default: "1m"},
	{Name: "auth-param", Variable: "MCP_LOGIN_AUTH_PARAM", List: true},
	{Name: "json"},
	{Name: "passphrase-command", Variable: "MCP_LOGIN_PASSPHRASE_COMMAND"},
	{Name: "browser-command", Variable: "MCP_LOGIN_BROWSER_COMMAND"},
	{Name: "client-secret-from", Variable: "MCP_LOGIN_CLIENT_SECRET_FROM"},
}

func testKey(name string) Key {
	return testKeys[slices.IndexFunc(testKeys, func(k Key) bool { return k.Name == name })]
}

const testText = `# shared
store = "file:shared"
min-ttl = 5

[profile.notion]
store = """
file:own"""
auth-param = [
  "a=b", "c=d",
]
[profile."two words"]
# none
`

// TestOrigin: each value is the one with the highest precedence, and has its
// origin.
func TestOrigin(t *testing.T) {
	f, err := parse("c.toml", []byte(testText), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		typed    []string
		variable string
		profiles []string
		want     Value
	}{
		{"store", []string{"file:1", "file:2"}, "file:env", []string{"notion"}, Value{"store", []string{"file:2"}, Flag, "", ""}},
		{"auth-param", []string{"x=1", "y=2"}, "", nil, Value{"auth-param", []string{"x=1", "y=2"}, Flag, "", ""}},
		{"store", []string{""}, "file:env", nil, Value{"store", []string{""}, Flag, "", ""}},
		{"store", nil, "file:env", []string{"notion"}, Value{"store", []string{"file:env"}, Environment, "MCP_LOGIN_STORE", ""}},
		{"store", nil, "", []string{"notion"}, Value{"store", []string{"file:own"}, Profile, "c.toml:6", "profile.notion"}},
		{"store", nil, "", []string{"other"}, Value{"store", []string{"file:shared"}, Global, "c.toml:2", ""}},
		{"store", nil, "", nil, Value{"store", []string{"file:shared"}, Global, "c.toml:2", ""}},
		{"min-ttl", nil, "", []string{"notion", "other"}, Value{"min-ttl", []string{"5"}, Global, "c.toml:3", ""}},
		{"auth-param", nil, "", []string{"notion"}, Value{"auth-param", []string{"a=b", "c=d"}, Profile, "c.toml:8", "profile.notion"}},
		{"json", nil, "", []string{"notion"}, Value{"json", nil, Default, "", ""}},
	} {
		s := Settings{
			Typed:  func(string) []string { return tt.typed },
			Getenv: func(string) string { return tt.variable },
			File:   f, Profiles: tt.profiles,
		}
		if got, err := s.Get(testKey(tt.name)); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s, typed %q, environment %q, profiles %q: %+v, %v, want %+v", tt.name, tt.typed, tt.variable, tt.profiles, got, err, tt.want)
		}
	}
}

// TestProfilesDiffer: profiles with different values cannot be used in one command,
// unless a source of higher precedence sets the value.
func TestProfilesDiffer(t *testing.T) {
	f, err := parse("c.toml", []byte(testText), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	variable := ""
	s := Settings{
		Typed:  func(string) []string { return nil },
		Getenv: func(string) string { return variable },
		File:   f,
	}.For("notion", "other")
	if _, err := s.Get(testKey("store")); err == nil || !strings.Contains(err.Error(), `configuration: c.toml: "notion" and "other" have different values of store`) {
		t.Error(err)
	}
	if v, err := s.For("notion").Get(testKey("store")); err != nil || v.Text() != "file:own" {
		t.Errorf("one profile: %q, %v", v.Text(), err)
	}
	variable = "file:env"
	if v, err := s.Get(testKey("store")); err != nil || v.Text() != "file:env" {
		t.Errorf("environment: %q, %v", v.Text(), err)
	}
}

// TestNoFile: without a file the other sources apply.
func TestNoFile(t *testing.T) {
	s := Settings{Typed: func(string) []string { return nil }, Getenv: func(string) string { return "" }}.For("a", "b")
	v, err := s.Get(testKey("min-ttl"))
	if err != nil || v.Text() != "1m" || v.Origin != Default || v.Configured() {
		t.Errorf("%+v, %v", v, err)
	}
	if names := s.File.Profiles(); names != nil {
		t.Error(names)
	}
}

// TestInvalidFiles: the error names the file and the line.
func TestInvalidFiles(t *testing.T) {
	invalid := map[string]string{
		"\n[profile.a]\nstoer = 1":                                 `3: unknown setting "stoer"`,
		"store.x = 1":                                              `1: unknown setting "store.x"`,
		"[profile.a]\nb.c.d = 1":                                   `2: unknown setting "b.c.d"`,
		"profile = \"a\"":                                          `1: unknown setting "profile"`,
		"\nstore = [1, 2]":                                         "2: store: use a string",
		"store = [\"a\", \"b\"]":                                   "1: store: use a string",
		"auth-param = [1]":                                         "1: auth-param: use a string, a number, true, false, or a list of strings",
		"store = 2026-01-01":                                       "1: store: use a string",
		"store = {a = 1}":                                          "1: store: use a string",
		"store = \"a\"\nstore = \"b\"":                             "toml: ",
		"store = \"a\"\nkeeper = passphrase":                       "2: toml: ",
		"\n[other]":                                                "2: use only tables like [profile.notion]",
		"[other]\nstore = \"x\"":                                   "1: use only tables like",
		"[profile.a.b]\nstore = \"x\"":                             "1: use only tables like",
		"[[profile.a]]\nstore = \"x\"":                             "1: use only tables like",
		"\n[profile]\na = 3":                                       "3: use only tables like",
		"profile = {a = {store = \"x\"}}":                          "1: use only tables like",
		"\n[profile]\na = {store = \"x\"}":                         "3: use only tables like",
		"store = \"y\"\nprofile = {a = {store = \"x\"}}":           "c.toml: use only tables like",
		"[profile.a]\nstore = \"y\"\n[profile.b.store]\nc = \"x\"": "3: store: use a string",
	}
	for _, text := range slices.Sorted(maps.Keys(invalid)) {
		_, err := parse("c.toml", []byte(text), testKeys)
		if want := invalid[text]; err == nil || !strings.HasPrefix(err.Error(), "configuration: c.toml:") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v, want %q", text, err, want)
		}
	}
}

// TestProfiles: a table without settings does not define a profile.
func TestProfiles(t *testing.T) {
	if _, err := parse("c.toml", []byte(testText+"\nprofile.b.store = true"), testKeys); err == nil {
		t.Fatal("a dotted key within a table is another key")
	}
	f, err := parse("c.toml", []byte("profile.b.store = 1.5\n"+testText), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Profiles(); !slices.Equal(got, []string{"b", "notion"}) {
		t.Errorf("%q", got)
	}
}
