package vault

import (
	"fmt"
	"strings"
)

// rule is one line of a policy.
type rule struct {
	path         string // with "*" at its end
	capabilities string
}

func (r rule) String() string {
	return fmt.Sprintf("path %q { capabilities = [%s] }", r.path, r.capabilities)
}

// rules is all that a store does. To list needs the folder, which the "*"
// covers too.
func rules(mount, prefix string) []rule {
	return []rule{
		{mount + "/data/" + prefix + "/*", `"create", "read", "update"`},
		{mount + "/metadata/" + prefix + "/*", `"create", "read", "update", "delete", "list"`},
	}
}

// Policy returns the least that a token must be allowed to use a store.
// [Store.KeepAlive] also needs what Vault's default
// policy allows every token: to look up and renew itself.
func Policy(mount, prefix string) string {
	var b strings.Builder
	for _, r := range rules(mount, prefix) {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// policyFor returns the line that a path needs, or "" if no policy is about it.
func (w *wire) policyFor(path string) string {
	for _, r := range rules(w.mount, w.prefix) {
		if strings.HasPrefix(path, strings.TrimSuffix(r.path, "*")) {
			return r.String()
		}
	}
	return ""
}
