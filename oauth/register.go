package oauth

// ClientMetadata is what a registration asks for (RFC 7591 §2). Empty fields
// are not sent.
type ClientMetadata struct {
	ClientName      string   `json:"client_name,omitempty"`
	ClientURI       string   `json:"client_uri,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"` // OpenID Connect Registration §2
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitempty"`
	RedirectURIs    []string `json:"redirect_uris,omitempty"`
	TokenAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	Scope           string   `json:"scope,omitempty"`
}
