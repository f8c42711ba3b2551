package mcplogin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/secrets"
)

// stored returns a fixture with the record of a file, as written by an older version.
func stored(t testing.TB, file string) *fixture {
	t.Helper()
	record, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := newFixture()
	if _, err := w.store.Put(t.Context(), "p", record, secrets.Absent); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestOldRecordsOpen: records of every version must stay readable: never change a
// fixture.
func TestOldRecordsOpen(t *testing.T) {
	s := stored(t, "testdata/credential-v1.json").open(t)
	c, err := s.Credential(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Token.Refresh != "fixture-refresh-token" || c.App.RegistrationToken != "fixture-registration-token" ||
		c.Issuer.TokenEndpoint != "https://mcp.test/token" || c.Flow != "device" || c.Token.Expiry.Year() != 2999 {
		t.Errorf("version 1 was parsed as %+v", c)
	}
	if got := c.Scopes(); !slices.Equal(got, []string{"mcp:read"}) {
		t.Errorf("Scopes() = %q", got)
	}
	if got := c.Missing(); !slices.Equal(got, []string{"mcp:write"}) {
		t.Errorf("Missing() = %q", got)
	}
	token, err := s.Token(t.Context())
	if err != nil || token.Access != "fixture-access-token" {
		t.Errorf("Token() = %v", err)
	}
}

// edited returns a record of version 1 with the value at a path replaced.
func edited(t testing.TB, path string, value any) []byte {
	t.Helper()
	record, err := os.ReadFile("testdata/credential-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(record, &doc); err != nil {
		t.Fatal(err)
	}
	object, names := doc, strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		if object[name] == nil {
			object[name] = map[string]any{}
		}
		object = object[name].(map[string]any)
	}
	object[names[len(names)-1]] = value
	record, err = json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// TestStoredHeaderInjectionIsRejected: a record written by an attacker cannot add a
// header, name an invalid URL, or control a terminal.
func TestStoredHeaderInjectionIsRejected(t *testing.T) {
	const hostile = "a\r\nX-Inj: \x1b[31m1"
	for path, value := range map[string]any{
		"token.access_token":                       hostile,
		"token.refresh_token":                      hostile,
		"token.id_token":                           "a b",
		"token.token_type":                         "Bearer\r\nX-Inj:",
		"token.scope":                              "a\tb",
		"token.expiry":                             "1969-01-01T00:00:00Z",
		"server":                                   "http://mcp.test/mcp",
		"resource":                                 "https://mcp.test/\u202emcp",
		"flow":                                     hostile,
		"scopes_asked":                             []string{"a", `b"`},
		"refused":                                  hostile,
		"created_at":                               "0099-01-01T00:00:00Z",
		"authorization_server.issuer":              "mcp.test",
		"authorization_server.token_endpoint":      "https://user:pw@mcp.test/token",
		"authorization_server.scopes_supported":    []string{hostile},
		"client.client_id":                         hostile,
		"client.client_secret":                     "s\x00",
		"client.registration_access_token":         "a b",
		"client.registration_client_uri":           "file:///etc/passwd",
		"login.issuer":                             "javascript:1",
		"login.scopes":                             []string{hostile},
		"login.flows":                              []string{"a b"},
		"login.inputs.audience":                    hostile,
		"login.inputs.idp_token_endpoint":          "http://idp.test/token",
		"login.endpoints.authorization_endpoint":   "https://mcp.test/a b",
		"login.inputs.subject_token_type":          hostile,
		"client.redirect_uris":                     []string{hostile},
		"authorization_server.revocation_endpoint": "http://as.test/revoke",
	} {
		_, err := mcplogin.ParseCredential(edited(t, path, value))
		invalid, ok := errors.AsType[*mcplogin.RecordError](err)
		if !ok || invalid.Field != path || !errors.Is(err, secrets.ErrUndecryptable) {
			t.Errorf("%s = %q: %v", path, value, err)
			continue
		}
		if text := err.Error(); strings.Contains(text, "Inj") || strings.Contains(text, "pw") || !strings.Contains(text, path) {
			t.Errorf("%s: the error shows the value or not the field: %q", path, text)
		}
	}
	for _, name := range []string{"", "-x", "a\nb"} {
		if _, err := mcplogin.ParseCredential(edited(t, "profile", name)); !errors.Is(err, secrets.ErrUndecryptable) {
			t.Errorf("profile %q: %v", name, err)
		}
	}
	w := newFixture()
	if _, err := w.store.Put(t.Context(), "p", edited(t, "token.access_token", hostile), secrets.Absent); err != nil {
		t.Fatal(err)
	}
	h, err := w.open(t).Headers(t.Context())
	if invalid, ok := errors.AsType[*mcplogin.RecordError](err); !ok || invalid.Profile != "p" || h != nil {
		t.Errorf("Headers() = %v, %v", h, err)
	}
}

// FuzzParseCredential: a parsed record can be sent and printed as one header line,
// and is written back unchanged.
func FuzzParseCredential(f *testing.F) {
	for _, file := range []string{"testdata/credential-v1.json", "testdata/credential-newer-fields.json"} {
		record, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(record)
	}
	f.Add([]byte(`{"version":1,"profile":"p","server":"https://a.test","TOKEN":{"access_token":"a:b","x":{"y":[1]}},"login":{"inputs":null,"z":1}}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		c, err := mcplogin.ParseCredential(record)
		if err != nil {
			return
		}
		if value, err := c.Authorization(); err == nil && strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("a header of %q", value)
		}
		once, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("a parsed record cannot be written: %v", err)
		}
		again, err := mcplogin.ParseCredential(once)
		if err != nil {
			t.Fatalf("a written record cannot be parsed: %v\n%s", err, once)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("writing changes the record: %v\n%s\n%s", err, once, twice)
		}
	})
}

// TestFieldsOfANewerVersionSurviveARefresh: an older program that shares the store
// refreshes a record of a newer one. It must keep unknown fields, at any level, and
// must remove the fields that it clears.
func TestFieldsOfANewerVersionSurviveARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		data, v, err := w.store.Get(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		add := func(object map[string]any) { object["newer"] = map[string]any{"is": []any{"kept", 1.5}} }
		add(doc)
		for _, name := range []string{"authorization_server", "client", "token"} {
			add(doc[name].(map[string]any))
		}
		login := map[string]any{"inputs": map[string]any{}, "endpoints": map[string]any{}}
		add(login)
		add(login["inputs"].(map[string]any))
		add(login["endpoints"].(map[string]any))
		doc["login"], doc["refused"] = login, "no longer true"
		if data, err = json.Marshal(doc); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Put(t.Context(), "p", data, v); err != nil {
			t.Fatal(err)
		}
		old := doc["token"].(map[string]any)["access_token"]
		c, err := mcplogin.ParseCredential(data)
		if err != nil {
			t.Fatal(err)
		}
		c.Refused = ""
		if data, err = json.Marshal(c); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Put(t.Context(), "p", data, secrets.Any); err != nil {
			t.Fatal(err)
		}
		if _, err := w.open(t).Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if data, _, err = w.store.Get(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(data, []byte(`"newer":{"is":["kept",1.5]}`)); n != 7 {
			t.Errorf("%d of 7 unknown fields are kept:\n%s", n, data)
		}
		for _, removed := range []string{"refused", "refresh_begun_at", old.(string)} {
			if bytes.Contains(data, []byte(removed)) {
				t.Errorf("%s was cleared, but is still in the record:\n%s", removed, data)
			}
		}
		exported, err := json.Marshal(must(mcplogin.ParseCredential(data)).HandOver())
		if err != nil || bytes.Contains(exported, []byte("newer")) {
			t.Errorf("the exported copy contains fields for a refresh: %s, %v", exported, err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func BenchmarkTokenWarm(b *testing.B) {
	s := stored(b, "testdata/credential-v1.json").open(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Token(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
