package mcplogin

import (
	"slices"
	"strings"
)

// offlineAccess asks for a refresh token (OpenID Connect Core §11).
const offlineAccess = "offline_access"

// scopesAt completes the scopes for one authorization server: what it was
// asked before, and offline_access where it lists that (SEP-2207). Scopes that
// a person names now are asked for as they are.
func (s *login) scopesAt(c, old Credential) []string {
	asked := c.Asked
	if len(s.req.Options.Scopes) > 0 && len(asked) == len(s.req.Options.Scopes) {
		return asked
	}
	if old.Issuer.Issuer == c.Issuer.Issuer {
		asked = union(asked, old.Asked)
	}
	if len(c.Login.Scopes) == 0 && slices.Contains(c.Issuer.Scopes, offlineAccess) {
		asked = union(asked, []string{offlineAccess})
	}
	return asked
}

// union returns a and what b adds to it; nil for nothing.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// fewerScopes returns what to ask for where a scope is refused: without those that
// the server left out of the registration, or else without offline_access, which
// servers list and refuse (ChronoAIProject/NyxID#1217). Nil: nothing can be left
// out.
func (s *login) fewerScopes(c Credential) []string {
	if scopes := s.registeredScopes(c); len(scopes) > 0 || len(s.req.Options.Scopes) > 0 {
		return scopes
	}
	if !slices.Contains(c.Asked, offlineAccess) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Asked), func(scope string) bool { return scope == offlineAccess })
}

// registeredScopes returns the scopes that the server registered of those asked for,
// if it left some out and no person insists on them.
func (s *login) registeredScopes(c Credential) []string {
	known := strings.Fields(c.App.Scope)
	kept := slices.DeleteFunc(slices.Clone(c.Asked), func(scope string) bool { return !slices.Contains(known, scope) })
	if len(s.req.Options.Scopes) > 0 || len(kept) == len(c.Asked) {
		return nil
	}
	return kept
}
