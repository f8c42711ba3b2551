package oauth_test

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
)

func parse(lines ...string) []oauth.Challenge {
	return oauth.ParseChallenges(http.Header{"Www-Authenticate": lines})
}

func TestParseChallenges(t *testing.T) {
	t.Parallel()
	type params = map[string]string
	for _, tt := range []struct {
		line string
		want []oauth.Challenge
	}{
		{``, nil},
		{`Bearer`, []oauth.Challenge{{Scheme: "bearer"}}},
		{`BEARER Realm="a, b=c", ERROR=invalid_token`, []oauth.Challenge{{Scheme: "bearer", Params: params{"realm": "a, b=c", "error": "invalid_token"}}}},
		{`Bearer resource_metadata="https://h/p?x=1,2", scope="a b"`, []oauth.Challenge{{Scheme: "bearer", Params: params{"resource_metadata": "https://h/p?x=1,2", "scope": "a b"}}}},
		{`Basic realm="x", Bearer scope="y", DPoP algs="ES256"`, []oauth.Challenge{
			{Scheme: "basic", Params: params{"realm": "x"}}, {Scheme: "bearer", Params: params{"scope": "y"}}, {Scheme: "dpop", Params: params{"algs": "ES256"}}}},
		{`Negotiate, Bearer`, []oauth.Challenge{{Scheme: "negotiate"}, {Scheme: "bearer"}}},
		{`Negotiate YII+/a==, Bearer scope=x`, []oauth.Challenge{{Scheme: "negotiate", Token68: "YII+/a=="}, {Scheme: "bearer", Params: params{"scope": "x"}}}},
		{`Bearer realm="a\"b\\c"`, []oauth.Challenge{{Scheme: "bearer", Params: params{"realm": `a"b\c`}}}},
		{`Bearer realm = "x" , scope	=	y`, []oauth.Challenge{{Scheme: "bearer", Params: params{"realm": "x", "scope": "y"}}}},
		{`,, Bearer ,, realm=x,,`, []oauth.Challenge{{Scheme: "bearer", Params: params{"realm": "x"}}}},
		{`Bearer resource_metadata=https://h/p, scope=x`, []oauth.Challenge{{Scheme: "bearer", Params: params{"resource_metadata": "https://h/p", "scope": "x"}}}},
		{`Bearer error="invalid_token" error_description="x", scope="y"`, []oauth.Challenge{{Scheme: "bearer", Params: params{"error": "invalid_token", "scope": "y"}}}},
		{`Bearer a=1, a=2`, []oauth.Challenge{{Scheme: "bearer", Params: params{"a": "1"}}}},
		{`Bearer realm="unterminated, scope="`, []oauth.Challenge{{Scheme: "bearer", Params: params{"realm": "unterminated, scope="}}}},
		{`Bearer realm="never ends`, []oauth.Challenge{{Scheme: "bearer"}}},
		{`"junk", Bearer scope=x`, []oauth.Challenge{{Scheme: "bearer", Params: params{"scope": "x"}}}},
	} {
		if got := parse(tt.line); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseChallenges(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
	if got := parse(`Basic realm=x`, `Bearer scope=y`); len(got) != 2 || got[1].Params["scope"] != "y" {
		t.Errorf("two lines = %q, want two challenges", got)
	}
}

// TestChallengeScopesHoldNoOtherText: text that controls a terminal, or a shell
// that a command is pasted into, is not accepted as a scope.
func TestChallengeScopesHoldNoOtherText(t *testing.T) {
	for _, tt := range []struct {
		scope string
		want  []string
	}{
		{"", nil},
		{"mcp:read files/* a+b", []string{"mcp:read", "files/*", "a+b"}},
		{"ok \x1b[31mred \a \u009b0m \u202ex gr\u00fcn last", []string{"ok", "last"}},
		{`quo"te back\slash '$(id)'`, []string{"'$(id)'"}},
		{"a\nb", []string{"a", "b"}},
		{strings.Repeat("x", 20_000), nil},
	} {
		c := oauth.Challenge{Params: map[string]string{"scope": tt.scope}}
		if got := c.Scopes(); !slices.Equal(got, tt.want) {
			t.Errorf("scopes of %.50q = %q, want %q", tt.scope, got, tt.want)
		}
	}
}

// FuzzParseChallenges: names are lower-case tokens, nothing is added, and
// challenges that are formatted properly are parsed back unchanged.
func FuzzParseChallenges(f *testing.F) {
	f.Add(`Bearer realm="a", scope=b, Basic YQ==`)
	f.Add(`Negotiate, , DPoP algs="\"", error`)
	f.Add(`Bearer a="b`)
	f.Fuzz(func(t *testing.T, line string) {
		got := parse(line)
		total := 0
		for _, c := range got {
			total += len(c.Scheme) + len(c.Token68)
			if c.Scheme == "" || c.Scheme != strings.ToLower(c.Scheme) || strings.ContainsAny(c.Scheme, " ,=\"\t") {
				t.Errorf("%q: scheme %q", line, c.Scheme)
			}
			for k, v := range c.Params {
				total += len(k) + len(v)
				if k == "" || k != strings.ToLower(k) || strings.ContainsAny(k, " ,=\"\t") {
					t.Errorf("%q: parameter %q", line, k)
				}
			}
		}
		if total > len(line) {
			t.Errorf("%q: %d bytes read from %d", line, total, len(line))
		}
		if again := parse(format(got)); !reflect.DeepEqual(again, got) {
			t.Errorf("%q: %q parsed back as %q from %s", line, got, again, format(got))
		}
	})
}

// format formats challenges by RFC 9110 §11.6.1.
func format(list []oauth.Challenge) string {
	var parts []string
	for _, c := range list {
		s := c.Scheme
		if c.Token68 != "" {
			s += " " + c.Token68
		}
		sep := " "
		for _, k := range slices.Sorted(maps.Keys(c.Params)) {
			v := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.Params[k])
			s += fmt.Sprintf(`%s%s="%s"`, sep, k, v)
			sep = ", "
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}
