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
	TokenTypeIDJAG       = "urn:ietf:params:oauth:token-type:id-jag" // Identity Assertion JWT Authorization Grant (ID-JAG)
)

// ClientCredentialsGrant returns the form of a client credentials grant for
// [Client.Token] (RFC 6749 §4.4). Resource "" and nil scopes are not sent.
func ClientCredentialsGrant(resource string, scopes []string) url.Values {
	form := url.Values{"grant_type": {GrantClientCredentials}}
	setOptional(form, resource, scopes)
	return form
}

// JWTBearerGrant returns the form of a JWT bearer grant for [Client.Token] (RFC
// 7523 §2.1). The assertion is signed by a third party, such as a CI system's
// ID token or an ID-JAG. Resource "" and nil scopes are not sent.
func JWTBearerGrant(assertion, resource string, scopes []string) url.Values {
	form := url.Values{"grant_type": {GrantJWTBearer}, "assertion": {assertion}}
	setOptional(form, resource, scopes)
	return form
}

// Exchange holds the parameters of a token exchange (RFC 8693 §2.1). Empty
// fields are not sent.
//
// For enterprise-managed authorization, request an ID-JAG from the company's
// identity provider: SubjectType TokenTypeIDToken, RequestedType
// TokenTypeIDJAG, Audience the issuer of the MCP server's authorization server.
// The Access of the resulting Token is the assertion for [JWTBearerGrant] at
// that server.
type Exchange struct {
	Subject       string // subject_token: the token to exchange
	SubjectType   string // "": TokenTypeIDToken
	RequestedType string
	Audience      string
	Resource      string
	Scopes        []string
}

// Grant returns the form of the grant for [Client.Token].
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
