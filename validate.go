package mcplogin

import (
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// Validate returns a *RecordError if the credential has a value that this
// package never writes. A record comes from a store that others may be able to
// write, or from an agent on another host: its values are sent to servers, put
// into headers and shown to users.
func (c Credential) Validate() error {
	if err := secrets.CheckName(c.Profile); err != nil {
		return &RecordError{Field: "profile", Reason: "is not a valid profile name"}
	}
	if c.Server == "" {
		return &RecordError{Field: "server", Reason: "is missing"}
	}
	for _, check := range []func(Credential) *RecordError{invalidURL, invalidScope, invalidToken, invalidText, invalidTime} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

// field is a text field of a record.
type field struct {
	name   string
	values []string
}

// invalid returns an error for the first field with an invalid value; nil if
// all are valid.
func invalid(fields []field, valid func(string) bool, reason string) *RecordError {
	for _, f := range fields {
		if slices.ContainsFunc(f.values, func(value string) bool { return !valid(value) }) {
			return &RecordError{Field: f.name, Reason: reason}
		}
	}
	return nil
}

func invalidURL(c Credential) *RecordError {
	for _, f := range []struct{ name, value string }{
		{"server", c.Server},
		{"resource", c.Resource},
		{"authorization_server.issuer", c.Issuer.Issuer},
		{"authorization_server.authorization_endpoint", c.Issuer.AuthorizationEndpoint},
		{"authorization_server.device_authorization_endpoint", c.Issuer.DeviceAuthorizationEndpoint},
		{"authorization_server.token_endpoint", c.Issuer.TokenEndpoint},
		{"authorization_server.registration_endpoint", c.Issuer.RegistrationEndpoint},
		{"authorization_server.revocation_endpoint", c.Issuer.RevocationEndpoint},
		{"client.registration_client_uri", c.App.RegistrationURI},
		{"login.issuer", c.Login.Issuer},
		{"login.accept_issuer.listed", c.Login.AcceptIssuer.Listed},
		{"login.accept_issuer.published", c.Login.AcceptIssuer.Published},
		{"login.accept_missing_iss", c.Login.AcceptMissingIss},
		{"login.inputs.idp_issuer", c.Login.Inputs.IDPIssuer},
		{"login.inputs.idp_token_endpoint", c.Login.Inputs.IDPTokenEndpoint},
		{"login.endpoints.authorization_endpoint", c.Login.Endpoints.Authorization},
		{"login.endpoints.device_authorization_endpoint", c.Login.Endpoints.DeviceAuthorization},
		{"login.endpoints.token_endpoint", c.Login.Endpoints.Token},
		{"login.endpoints.registration_endpoint", c.Login.Endpoints.Registration},
		{"login.endpoints.revocation_endpoint", c.Login.Endpoints.Revocation},
	} {
		if _, err := oauth.CheckURL(f.value); f.value != "" && err != nil {
			return &RecordError{Field: f.name, Reason: "is not a usable URL"}
		}
	}
	return nil
}

func invalidScope(c Credential) *RecordError {
	return invalid([]field{
		{"flow", words(c.Flow)},
		{"scopes_asked", c.Asked},
		{"authorization_server.scopes_supported", c.Issuer.Scopes},
		{"login.flows", c.Login.Flows},
		{"login.scopes", c.Login.Scopes},
		{"token.scope", words(c.Token.Scope)},
	}, oauth.ValidScope, "contains a character that is not allowed there")
}

// words splits s at single spaces, so that other white space stays in the words
// and is rejected.
func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, " ")
}

func invalidToken(c Credential) *RecordError {
	for _, f := range []struct{ name, value string }{
		{"token.access_token", c.Token.Access},
		{"token.id_token", c.Token.ID},
		{"client.registration_access_token", c.App.RegistrationToken},
	} {
		if f.value != "" && !oauth.ValidToken(f.value) {
			return &RecordError{Field: f.name, Reason: "contains a character that is not allowed in a header, or is too long"}
		}
	}
	switch c.Token.Type {
	case "", "Bearer", "DPoP", "N_A":
		return nil
	}
	return &RecordError{Field: "token.token_type", Reason: "is unknown"}
}

func invalidText(c Credential) *RecordError {
	return invalid([]field{
		{"token.refresh_token", []string{c.Token.Refresh}},
		{"client.client_id", []string{c.App.ID}},
		{"client.client_secret", []string{c.App.Secret}},
		{"client.token_endpoint_auth_method", []string{c.App.AuthMethod}},
		{"client.grant_types", c.App.GrantTypes},
		{"client.redirect_uris", c.App.RedirectURIs},
		{"authorization_server.grant_types_supported", c.Issuer.GrantTypes},
		{"authorization_server.token_endpoint_auth_methods_supported", c.Issuer.TokenAuthMethods},
		{"authorization_server.token_endpoint_auth_signing_alg_values_supported", c.Issuer.TokenAuthAlgs},
		{"authorization_server.code_challenge_methods_supported", c.Issuer.CodeChallengeMethods},
		{"authorization_server.dpop_signing_alg_values_supported", c.Issuer.DPoPAlgs},
		{"login.inputs.subject_token_type", []string{c.Login.Inputs.SubjectTokenType}},
		{"login.inputs.audience", []string{c.Login.Inputs.Audience}},
		{"login.inputs.idp_client_id", []string{c.Login.Inputs.IDPClientID}},
		{"refused", []string{c.Refused}},
	}, oauth.ValidText, "contains a character that is not printable ASCII, or is too long")
}

func invalidTime(c Credential) *RecordError {
	for _, f := range []struct {
		name  string
		value time.Time
	}{
		{"token.expiry", c.Token.Expiry},
		{"client.client_secret_expires_at", c.App.SecretExpiry},
		{"created_at", c.CreatedAt},
		{"logged_in_at", c.LoggedInAt},
		{"refreshed_at", c.RefreshedAt},
		{"refresh_begun_at", c.RefreshBegunAt},
	} {
		if !f.value.IsZero() && f.value.Unix() < 0 {
			return &RecordError{Field: f.name, Reason: "is before 1970"}
		}
	}
	return nil
}
