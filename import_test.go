package mcplogin_test

import (
	"errors"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/secrets"
)

func TestImport(t *testing.T) {
	const other = `{"version":1,"profile":"work","server":"https://other.test/"}`
	c := must(mcplogin.ParseCredential([]byte(`{"version":1,"profile":"work","server":"https://mcp.test/","token":{"access_token":"at"}}`)))
	for name, tt := range map[string]struct {
		stored  string
		profile string
		replace bool
		want    error
	}{
		"nothing stored":              {"", "work", false, nil},
		"a credential":                {other, "work", false, mcplogin.ErrExists},
		"a credential, replace":       {other, "work", true, nil},
		"a newer credential, replace": {`{"version":99}`, "work", true, mcplogin.ErrNewerRecord},
		"another profile":             {"", "home", false, secrets.ErrUndecryptable},
	} {
		t.Run(name, func(t *testing.T) {
			store := &secrets.Memory{}
			if tt.stored != "" {
				if _, err := store.Put(t.Context(), "work", []byte(tt.stored), secrets.Absent); err != nil {
					t.Fatal(err)
				}
			}
			s := must(mcplogin.Open(mcplogin.Config{Profile: tt.profile, Source: mcplogin.Stored(store)}))
			if err := s.Import(t.Context(), c, tt.replace); !errors.Is(err, tt.want) {
				t.Fatalf("Import() = %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if token, err := s.Token(t.Context()); err != nil || token.Access != "at" {
				t.Errorf("Token() = %q, %v after the import", token.Access, err)
			}
		})
	}
}
