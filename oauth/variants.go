package oauth

import (
	"net/http"
	"slices"
	"strings"
)

// loopbackRedirect stands in for no redirect URI at servers that insist on one.
const loopbackRedirect = "http://127.0.0.1/callback"

// variant is another legal way to ask for the same registration. Servers
// disagree about some fields: the variant is tried once where a server refuses
// the registration because of its field.
type variant struct {
	code      string // the error that is about this field alone
	field     string // what an error_description calls it
	change    func(*ClientMetadata)
	appliesTo func(ClientMetadata) bool
}

// variants are tried in this order. What one changed stays changed for the next.
func variants() []variant {
	noRedirect := func(m ClientMetadata) bool {
		code := len(m.GrantTypes) == 0 || slices.Contains(m.GrantTypes, GrantAuthorizationCode) // RFC 7591 §2: the default
		return len(m.RedirectURIs) == 0 && !code
	}
	return []variant{
		{ // Better Auth refuses an empty list; oidc-provider refuses a missing one.
			code: CodeInvalidRedirectURI, field: "redirect",
			appliesTo: func(m ClientMetadata) bool { return noRedirect(m) && m.RedirectURIs != nil },
			change:    func(m *ClientMetadata) { m.RedirectURIs = nil },
		},
		{
			code: CodeInvalidRedirectURI, field: "redirect",
			appliesTo: noRedirect,
			change:    func(m *ClientMetadata) { m.RedirectURIs = []string{loopbackRedirect} },
		},
		{ // oidc-provider takes only its own scopes here, Keycloak's policy only listed ones.
			code: CodeInvalidScope, field: "scope",
			appliesTo: func(m ClientMetadata) bool { return m.Scope != "" },
			change:    func(m *ClientMetadata) { m.Scope = "" },
		},
	}
}

// nextVariant returns the metadata to send after a refusal and the variants that are
// left, or false if no variant can help.
func nextVariant(m ClientMetadata, left []variant, refusal *Error) (ClientMetadata, []variant, bool) {
	for i, v := range left {
		if v.appliesTo(m) && v.matches(refusal) {
			v.change(&m)
			return m, slices.Delete(slices.Clone(left), i, i+1), true
		}
	}
	return m, left, false
}

// matches reports whether a refusal may be about this variant's field: its code
// or description says so, or it says only that some field is wrong. Better Auth
// says that without an OAuth code, by {"code":"VALIDATION_ERROR","message":...}.
func (v variant) matches(refusal *Error) bool {
	mentioned := func(v variant) bool { return strings.Contains(strings.ToLower(refusal.Description), v.field) }
	switch {
	case refusal.Status == http.StatusUnauthorized, refusal.temporary():
		return false // no field is to blame
	case refusal.Code == v.code, mentioned(v):
		return true
	}
	someField := refusal.Code == CodeInvalidClientMetadata ||
		refusal.Code == "" && (refusal.Status == http.StatusBadRequest || refusal.Status == http.StatusUnprocessableEntity)
	return someField && !slices.ContainsFunc(variants(), mentioned)
}
