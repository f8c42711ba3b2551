package mcplogin_test

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// bannedComments are nonstandard words and phrases in comments, and the standard
// term for each.
var bannedComments = []struct{ pattern, instead string }{
	{`\b(?:some|any|every)body\b`, "another process, the user, anyone"},
	{`\b(?:a|the|no) person\b`, "the user"},
	{`\btells?\b|\btold\b`, "report, print, distinguish"},
	{`\bhears? (?:of|how|which|why|what|that)\b`, "is called with"},
	{`\bunder way\b`, "in progress, in flight"},
	{`\bgoes? on\b`, "continue"},
	{`\bfor good\b`, "permanently"},
	{`\ball the same\b`, "anyway"},
	{`\blooked at\b`, "checked, read"},
	{`\bbut for\b`, "except"},
	{`\b(?-i:speaks?)\b`, "use, support"},
	{`\bstrangers?\b`, "an attacker, another user"},
	{`\b(?:whence|hence|upon|thus|whereby|nevertheless)\b`, "so, from"},
	{`\b(?:we|our|ours|ourselves)\b`, "this program, the client"},
	{`\bfor want of\b`, "because ... is missing"},
	{`\bas well as that can\b|\bwith best effort\b`, "It is best effort."},
	{`\b(?-i:id token|client id|key id)s?\b`, "ID"},
	{`\b(?:behaviour|honour\w*|normalis\w+|cancelled|defence|colours?|travell\w+)\b`, "the American spelling"},
	{`, since (?:a|an|it|its|one|some|this|that|no) `, "because"},
	{`\bin (?:the )?place of (?:this|that|it|ours)\b`, "instead"},
	{`\blives? (?:and dies|for|on)\b`, "is valid for"},
	{`\bthe wire types?\b|\bis the wire\b`, "the types of the API, the messages"},
}

// TestComments checks that comments use the standard terms.
func TestComments(t *testing.T) {
	patterns, checked := compiled(bannedComments), 0
	for _, path := range sources(t) {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range f.Comments {
			checked++
			text := strings.Join(strings.Fields(group.Text()), " ")
			for _, b := range patterns {
				if found := b.pattern.FindString(allowedTexts.ReplaceAllString(text, "")); found != "" {
					t.Errorf("%s: %q: say %s", fset.Position(group.Pos()), found, b.instead)
				}
			}
		}
	}
	if checked < 3000 {
		t.Errorf("only %d comments were checked", checked)
	}
}
