package mcplogin_test

import (
	"os"
	"slices"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
)

// stored returns a world that holds the record of a file, as if an older
// version had written it.
func stored(t testing.TB, file string) *world {
	t.Helper()
	record, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	if _, err := w.store.Put(t.Context(), "p", record, secrets.Absent); err != nil {
		t.Fatal(err)
	}
	return w
}

// Records of every version must stay readable: no fixture may ever change.
func TestOldRecordsOpen(t *testing.T) {
	s := stored(t, "testdata/credential-v1.json").open(t)
	c, err := s.Credential(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Token.Refresh != "fixture-refresh-token" || c.App.RegistrationToken != "fixture-registration-token" ||
		c.Issuer.TokenEndpoint != "https://mcp.test/token" || c.Flow != "device" || c.Token.Expiry.Year() != 2999 {
		t.Errorf("version 1 was misread: %+v", c)
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

func TestWarmTokenAllocatesNothing(t *testing.T) {
	s := stored(t, "testdata/credential-v1.json").open(t)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("a warm Token() allocates %v times", n)
	}
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
