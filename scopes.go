package mcplogin

import (
	"slices"
	"strings"
)

// offlineAccess asks for a refresh token (OpenID Connect Core §11).
const offlineAccess = "offline_access"

// scopesAt completes the scopes for one authorization server: those requested
// before, and offline_access if the server lists it (SEP-2207). Scopes that the
// user names now are requested unchanged.
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

// union returns the elements of a, then those of b that a lacks; nil if both
// are empty.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// fewerScopes returns the scopes for a retry after invalid_scope: without those
// that the server omitted from the registration, else without offline_access,
// which some servers list but reject (ChronoAIProject/NyxID#1217). Nil: no scope
// can be omitted.
func (s *login) fewerScopes(c Credential) []string {
	if scopes := s.registeredScopes(c); len(scopes) > 0 || len(s.req.Options.Scopes) > 0 {
		return scopes
	}
	if !slices.Contains(c.Asked, offlineAccess) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Asked), func(scope string) bool { return scope == offlineAccess })
}

// registeredScopes returns the requested scopes that the client is registered for;
// nil if that is all of them, or if the user named the scopes.
func (s *login) registeredScopes(c Credential) []string {
	known := strings.Fields(c.App.Scope)
	kept := slices.DeleteFunc(slices.Clone(c.Asked), func(scope string) bool { return !slices.Contains(known, scope) })
	if len(s.req.Options.Scopes) > 0 || len(kept) == len(c.Asked) {
		return nil
	}
	return kept
}
