package oauth

import (
	"net/http"
	"slices"
	"strings"
)

// loopbackRedirect is registered at servers that require a redirect URI from
// clients that need none.
const loopbackRedirect = "http://127.0.0.1/callback"

// variant is another valid form of the same registration request. Servers
// disagree about some fields: a variant is tried once if the server rejects its
// field.
type variant struct {
	code      string // the error code that concerns only this field
	field     string // its name in an error_description
	change    func(*ClientMetadata)
	appliesTo func(ClientMetadata) bool
}

// variants returns the variants in the order in which they are tried. Their
// changes accumulate.
func variants() []variant {
	noRedirect := func(m ClientMetadata) bool {
		code := len(m.GrantTypes) == 0 || slices.Contains(m.GrantTypes, GrantAuthorizationCode) // the default of RFC 7591 §2
		return len(m.RedirectURIs) == 0 && !code
	}
	return []variant{
		{ // Better Auth rejects an empty list; oidc-provider rejects a missing one.
			code: CodeInvalidRedirectURI, field: "redirect",
			appliesTo: func(m ClientMetadata) bool { return noRedirect(m) && m.RedirectURIs != nil },
			change:    func(m *ClientMetadata) { m.RedirectURIs = nil },
		},
		{
			code: CodeInvalidRedirectURI, field: "redirect",
			appliesTo: noRedirect,
			change:    func(m *ClientMetadata) { m.RedirectURIs = []string{loopbackRedirect} },
		},
		{ // oidc-provider accepts only its own scopes here, Keycloak's policy only listed ones.
			code: CodeInvalidScope, field: "scope",
			appliesTo: func(m ClientMetadata) bool { return m.Scope != "" },
			change:    func(m *ClientMetadata) { m.Scope = "" },
		},
	}
}

// nextVariant returns the metadata to send after an error and the remaining
// variants, or false if no variant applies.
func nextVariant(m ClientMetadata, left []variant, refusal *Error) (ClientMetadata, []variant, bool) {
	for i, v := range left {
		if v.appliesTo(m) && v.matches(refusal) {
			v.change(&m)
			return m, slices.Delete(slices.Clone(left), i, i+1), true
		}
	}
	return m, left, false
}

// matches reports whether an error may be about this variant's field: its code
// or description says so, or it is about some unnamed field. Better Auth reports
// the latter without an OAuth code, by
// {"code":"VALIDATION_ERROR","message":...}.
func (v variant) matches(refusal *Error) bool {
	mentioned := func(v variant) bool { return strings.Contains(strings.ToLower(refusal.Description), v.field) }
	switch {
	case refusal.Status == http.StatusUnauthorized, refusal.temporary():
		return false // the error is not about a field
	case refusal.Code == v.code, mentioned(v):
		return true
	}
	someField := refusal.Code == CodeInvalidClientMetadata ||
		refusal.Code == "" && (refusal.Status == http.StatusBadRequest || refusal.Status == http.StatusUnprocessableEntity)
	return someField && !slices.ContainsFunc(variants(), mentioned)
}
