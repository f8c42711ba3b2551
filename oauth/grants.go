package oauth

import (
	"net/url"
)

// Token types of token exchange (RFC 8693 §3).
const (
	TokenTypeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
	TokenTypeIDToken     = "urn:ietf:params:oauth:token-type:id_token"
	TokenTypeJWT         = "urn:ietf:params:oauth:token-type:jwt"
	TokenTypeSAML2       = "urn:ietf:params:oauth:token-type:saml2"
	TokenTypeIDJAG       = "urn:ietf:params:oauth:token-type:id-jag" // an identity assertion for another authorization server
)

// ClientCredentialsGrant is for [Client.Token]: the client acts for itself (RFC
// 6749 §4.4). Resource "" and nil scopes are not sent.
func ClientCredentialsGrant(resource string, scopes []string) url.Values {
	form := url.Values{"grant_type": {GrantClientCredentials}}
	setOptional(form, resource, scopes)
	return form
}

// JWTBearerGrant is for [Client.Token]: an assertion that somebody else signed,
// such as a CI system's id token or an ID-JAG, becomes a token (RFC 7523
// §2.1). Resource "" and nil scopes are not sent.
func JWTBearerGrant(assertion, resource string, scopes []string) url.Values {
	form := url.Values{"grant_type": {GrantJWTBearer}, "assertion": {assertion}}
	setOptional(form, resource, scopes)
	return form
}

// Exchange asks for one token in return for another (RFC 8693 §2.1). Empty
// fields are not sent.
//
// For enterprise-managed authorization it asks the company's identity provider
// for an ID-JAG: SubjectType TokenTypeIDToken, RequestedType TokenTypeIDJAG,
// Audience the issuer of the MCP server's authorization server. The Access of
// the answer is the assertion of a [JWTBearerGrant] there.
type Exchange struct {
	Subject       string // the token that is given
	SubjectType   string // "": TokenTypeIDToken
	RequestedType string
	Audience      string
	Resource      string
	Scopes        []string
}

// Grant is for [Client.Token].
func (e Exchange) Grant() url.Values {
	form := url.Values{"grant_type": {GrantTokenExchange}, "subject_token": {e.Subject}, "subject_token_type": {TokenTypeIDToken}}
	for name, value := range map[string]string{
		"subject_token_type": e.SubjectType, "requested_token_type": e.RequestedType, "audience": e.Audience,
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	setOptional(form, e.Resource, e.Scopes)
	return form
}

// String hides the subject token.
func (e Exchange) String() string { return "oauth.Exchange" + redacted }

// GoString hides the subject token under %#v too.
func (e Exchange) GoString() string { return e.String() }
