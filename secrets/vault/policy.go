package vault

import (
	"fmt"
	"strings"
)

// rule is one line of a policy.
type rule struct {
	path         string // ends with "*"
	capabilities string
}

func (r rule) String() string {
	return fmt.Sprintf("path %q { capabilities = [%s] }", r.path, r.capabilities)
}

// rules returns the policy lines that a store needs. The "*" also covers the
// folder, for list.
func rules(mount, prefix string) []rule {
	return []rule{
		{mount + "/data/" + prefix + "/*", `"create", "read", "update"`},
		{mount + "/metadata/" + prefix + "/*", `"create", "read", "update", "delete", "list"`},
	}
}

// Policy returns the minimum policy of a token for a store. [Store.KeepAlive]
// also needs what Vault's default policy allows: to look up and renew the token
// itself.
func Policy(mount, prefix string) string {
	var b strings.Builder
	for _, r := range rules(mount, prefix) {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// policyFor returns the policy line that covers a path, or "" if none does.
func (w *conn) policyFor(path string) string {
	for _, r := range rules(w.mount, w.prefix) {
		if strings.HasPrefix(path, strings.TrimSuffix(r.path, "*")) {
			return r.String()
		}
	}
	return ""
}
