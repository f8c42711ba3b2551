package mcplogin_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// singleChecks are checks that only one package may implement. A second implementation
// would soon differ, and the difference would be a vulnerability.
var singleChecks = []struct {
	what, use string
	pattern   *regexp.Regexp
	places    []string
}{
	{"a loopback check", "netcheck.IsLoopback or netcheck.IsRedirectHost", regexp.MustCompile(`\.IsLoopback\(\)|[!=]= "(?:127\.0\.0\.1|localhost|::1)"|EqualFold\([^)]*"localhost"`),
		[]string{"internal/netcheck/netcheck.go", "oauth/addr.go", "flows/authcode/redirect.go", "internal/sshbrowser/visit.go"}}, // these classify dialed and listening addresses
	{"a comparison of origins", "netcheck.SameOrigin", regexp.MustCompile(`func [sS]ameOrigin\(|\.Scheme (?:==|!=) \w+\.Scheme|EqualFold\(\w+\.Scheme, |\.Scheme ?\+ ?"://" ?\+ ?\w+\.Host [!=]=|\.Host [!=]= \w+\.URL\.Host|\.Host (?:==|!=) r\.Host\b`),
		[]string{"internal/netcheck/netcheck.go"}},
	{"an alphabet", "package ascii", regexp.MustCompile(`[<>]=? *'[azAZ09~!]'|'[azAZ09~!]' *[<>]=?|(?:[<>]=?|[!=]=) *0x7[eEfF]\b|[!=]= *unicode\.MaxASCII|< ' '|Trim\(\w+, "[A-Za-z0-9]{6}`),
		[]string{"internal/ascii/ascii.go", "internal/terminal/paste.go"}}, // a key that was pressed
	{"a private socket", "privsock.Listen", regexp.MustCompile(`ListenUnix\(|[lL]isten\w*\([^)]*"unix"`),
		[]string{"internal/privsock/bind_unix.go", "internal/privsock/listen_other.go"}},
}

// TestChecksExistOnce: the checks that decide who may connect, and which characters
// are allowed, are implemented once.
func TestChecksExistOnce(t *testing.T) {
	for _, path := range sources(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			code, _, _ := strings.Cut(line, "// ")
			for _, c := range singleChecks {
				if !slices.Contains(c.places, path) && c.pattern.MatchString(code) {
					t.Errorf("%s:%d: %s: use %s", path, i+1, c.what, c.use)
				}
			}
		}
	}
}
