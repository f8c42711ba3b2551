package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

func idToken(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".sig"
}

func TestIDTokenExpiry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		token string
		want  time.Time // zero: rejected
	}{
		{idToken(`{"exp":4102444800}`), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
		{idToken(`{"exp":4102444800.9}`), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
		{idToken(`{}`), time.Time{}}, {idToken(`{"exp":0}`), time.Time{}}, {idToken(`{"exp":-1}`), time.Time{}},
		{idToken(`{"exp":1e300}`), time.Time{}}, {idToken(`{"exp":253402300800}`), time.Time{}}, {idToken(`{"exp":[]}`), time.Time{}}, {idToken(`[]`), time.Time{}}, {idToken(`{`), time.Time{}},
		{"a.b", time.Time{}}, {"a.!.c", time.Time{}}, {"", time.Time{}},
	} {
		got, err := oauth.IDTokenExpiry(tt.token)
		if (err == nil) == tt.want.IsZero() || !got.Equal(tt.want) {
			t.Errorf("IDTokenExpiry(%q) = %v, %v, want %v", tt.token, got, err, tt.want)
		}
	}
}

// FuzzIDToken: an accepted expiry can be stored, and no error contains the token.
func FuzzIDToken(f *testing.F) {
	f.Add(idToken(`{"exp":4102444800,"sub":"secret-subject"}`))
	f.Add(idToken(`{"exp":"1"}`))
	f.Fuzz(func(t *testing.T, token string) {
		expiry, err := oauth.IDTokenExpiry(token)
		if err != nil {
			if len(token) > 8 && strings.Contains(err.Error(), token) {
				t.Errorf("error %q contains the token", err)
			}
			return
		}
		if _, err := json.Marshal(expiry); err != nil || !expiry.After(time.Unix(0, 0).Add(-1)) {
			t.Errorf("IDTokenExpiry(%q) = %v", token, expiry)
		}
	})
}

// FuzzParseKey: an accepted key is stored and parsed back unchanged, and no error
// contains the input.
func FuzzParseKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v_1\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := oauth.ParseKey(text)
		if err != nil {
			if len(text) > 16 && strings.Contains(err.Error(), string(text)) {
				t.Errorf("error %q contains the key", err)
			}
			return
		}
		var again oauth.Key
		if err := json.Unmarshal(must(json.Marshal(key)), &again); err != nil {
			t.Fatal(err)
		}
		want(t, "thumbprint", must(again.Thumbprint()), must(key.Thumbprint()))
	})
}
