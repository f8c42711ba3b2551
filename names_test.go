package mcplogin_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bannedNames are nonstandard words in identifiers, and the standard term for each.
var bannedNames = []struct{ pattern, instead string }{
	{`\b(?:lends?|lent|lender|borrow(?:ed|s)?)\b`, "broker"},
	{`\b(?:hand|handed) out\b|\bhandout\b`, "issue"},
	{`\b(?:patience|patient|calm|apart)\b`, "timeout, retry delay, minimum interval"},
	{`\bfly\b|(?:^|[^n] )flights?\b`, "in-flight call, shared call"},
	{`\bunattended\b`, "non-interactive"},
	{`\bnewcomers?\b`, "unauthenticated connections"},
	{`\bodd(?:s|ity|ities)?\b`, "unusual, server override"},
	{`\bgate\b`, "rate limiter, auth middleware"},
	{`\b(?:vigil|fate)\b`, "watch"},
	{`\btid(?:ing|ings)\b`, "notification"},
	{`\btells?\b|\btold\b`, "say, show, notify"},
	{`\bwide\b`, "max in flight"},
	{`\blife\b|\blives\b`, "lifetime"},
	{`\b(?:lest|anew|thereof|whoever)\b`, "so that, again"},
	{`\bsurroundings\b`, "environment"},
	{`\b(?:verdict|blamed|junk|standing|misshapen)\b`, "result, matches, skip, invalid"},
	{`\b(?:un)?spent\b`, "used, unused"},
	{`\b(?:lodges?|furnish|travell?er)\b`, "store, provide"},
	{`\bbehaviours?\b`, "behavior"},
	{`\b(?:thief|thieves|victims?|strangers?|impostors?|liar)\b`, "attacker, target, another user"},
	{`\b(?:talk|heard)\b`, "standard error, received"},
}

// maxTestName is the maximum length of the name of a test.
const maxTestName = 40

// TestNames checks that identifiers use the standard terms, and that tests have no
// sentences as names. Names of the sources may occur in tests.
func TestNames(t *testing.T) {
	checked := map[string]bool{}
	for _, path := range sources(t) {
		checkNames(t, path, compiled(bannedNames), checked)
	}
	for _, path := range tests(t) {
		checkNames(t, path, compiled(slices.Concat(bannedNames, bannedTestNames)), checked)
	}
}

// checkNames checks the identifiers of a file that are not in checked.
func checkNames(t *testing.T, path string, patterns []bannedPattern, checked map[string]bool) {
	t.Helper()
	fset, f := parsedFile(t, path)
	ast.Inspect(f, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || checked[id.Name] {
			return true
		}
		checked[id.Name] = true
		if strings.HasPrefix(id.Name, "Test") && len(id.Name) > maxTestName {
			t.Errorf("%s: %s is longer than %d letters: the comment says the rest", fset.Position(id.Pos()), id.Name, maxTestName)
		}
		for _, b := range patterns {
			if b.pattern.MatchString(wordsOf(id.Name)) {
				t.Errorf("%s: %s: say %s", fset.Position(id.Pos()), id.Name, b.instead)
			}
		}
		return true
	})
}

// wordBoundaries are the positions where a word of an identifier begins.
var wordBoundaries = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// wordsOf returns the words of an identifier: "maxInFlight" is "max in flight".
func wordsOf(name string) string {
	return strings.ToLower(strings.ReplaceAll(wordBoundaries.ReplaceAllString(name, "$1$3 $2$4"), "_", " "))
}
