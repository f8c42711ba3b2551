package mcplogin_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// once are checks that one place alone may make. A second one would soon differ
// from the first, and the difference be a hole.
var once = []struct {
	what, use string
	pattern   *regexp.Regexp
	places    []string
}{
	{"a loopback check", "netcheck.IsLoopback or netcheck.IsRedirectHost", regexp.MustCompile(`\.IsLoopback\(\)|[!=]= "(?:127\.0\.0\.1|localhost|::1)"|EqualFold\([^)]*"localhost"`),
		[]string{"internal/netcheck/netcheck.go", "oauth/addr.go", "flows/authcode/redirect.go", "internal/sshbrowser/visit.go"}}, // these sort what is dialed, and what is listened at
	{"a comparison of origins", "netcheck.SameOrigin", regexp.MustCompile(`func [sS]ameOrigin\(|\.Scheme (?:==|!=) \w+\.Scheme|EqualFold\(\w+\.Scheme, |\.Host (?:==|!=) r\.Host\b`),
		[]string{"internal/netcheck/netcheck.go"}},
	{"an alphabet", "package ascii", regexp.MustCompile(`[<>]=? *'[azAZ09~!]'|'[azAZ09~!]' *[<>]=?|(?:[<>]=?|[!=]=) *0x7[eEfF]\b`),
		[]string{"internal/ascii/ascii.go"}},
	{"a private socket", "privsock.Listen", regexp.MustCompile(`ListenUnix\(|[lL]isten\w*\([^)]*"unix"`),
		[]string{"internal/privsock/bind_unix.go", "internal/privsock/listen_other.go"}},
}

// TestChecksExistOnce: what decides who may connect, and which characters may
// pass, is written once.
func TestChecksExistOnce(t *testing.T) {
	for _, path := range sources(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			code, _, _ := strings.Cut(line, "// ")
			for _, c := range once {
				if !slices.Contains(c.places, path) && c.pattern.MatchString(code) {
					t.Errorf("%s:%d: %s: use %s", path, i+1, c.what, c.use)
				}
			}
		}
	}
}
