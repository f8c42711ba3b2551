package stores

import (
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/secrets"
)

// Plain returns the text of an error of a store for people. Each layer below names its
// step; here the record is named once, and no general word stands before the cause. A
// wrong passphrase is the whole story.
func Plain(text string) string {
	if _, why, wrong := strings.Cut(text, secrets.ErrPassphrase.Error()); wrong {
		return secrets.ErrPassphrase.Error() + why
	}
	general := []string{
		secrets.ErrUnavailable.Error(), secrets.ErrTemporary.Error(), secrets.ErrUndecryptable.Error(),
		"test the store before signing in",
	}
	steps := strings.Split(text, ": ")
	var kept, named []string
	for i, step := range steps {
		last := i == len(steps)-1
		if name := recordOf(step); !last && (slices.Contains(general, step) || name != "" && slices.Contains(named, name)) {
			continue
		} else if name != "" {
			named = append(named, name)
		}
		kept = append(kept, step)
	}
	return whole(strings.Join(kept, ": "))
}

// whole makes a sentence of a text that begins with the step that failed.
func whole(text string) string {
	if rest, ok := strings.CutPrefix(text, "use store "); ok {
		return "cannot use the store " + rest
	}
	return text
}

// recordOf returns the quoted name of the record or the credential at the end of a step,
// "" if there is none.
func recordOf(step string) string {
	for _, kind := range []string{"record ", "credential "} {
		if at := strings.LastIndex(step, kind+`"`); at >= 0 && strings.HasSuffix(step, `"`) {
			return step[at+len(kind):]
		}
	}
	return ""
}
