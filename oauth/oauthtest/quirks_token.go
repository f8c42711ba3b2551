package oauthtest

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/mcp-login/mcp-login/oauth"
)

func tokenQuirks() []Quirk {
	return []Quirk{
		{Name: "token-with-colons", Does: "issues access tokens of visible ASCII beyond b64token", Report: "cloudflare/workers-oauth-provider#107", Part: "token",
			apply: setting(func(s *Server) { s.Tokens.Suffix = ":alice@example.com:0D_KSIIE" })},
		{Name: "token-201", Does: "answers with 201", Report: "dust-tt/dust#22773", Part: "token status",
			apply: one(change{after: func(e Endpoint, _ *http.Request, a *reply) {
				if e == Token && a.status == http.StatusOK {
					a.status = http.StatusCreated
				}
			}})},
		{Name: "no-expires-in", Does: "does not say how long a token is valid", Report: "todoist-mcp#400", Part: "lifetime",
			apply: setting(func(s *Server) { s.Tokens.TTL = -1 })},
		{Name: "jwt-without-expires-in", Does: "says how long a token is valid in the JWT alone", Report: "danny-avila/LibreChat#13248", Part: "lifetime",
			apply: setting(func(s *Server) { s.Tokens.TTL, s.Tokens.JWT = -1, true })},
		{Name: "expires-in-zero", Does: "sends 0 where it does not say how long a token is valid", Report: "servers whose tokens do not expire", Part: "lifetime",
			apply: one(document(Token, func(doc map[string]any) { doc["expires_in"] = 0 }))},
		{Name: "expires-in-text", Does: "sends the lifetime as a text", Report: "servers that quote numbers", Part: "lifetime",
			apply: one(document(Token, func(doc map[string]any) { doc["expires_in"] = "3600" }))},
		{Name: "expires-in-absurd", Does: "sends a lifetime of more years than a clock can count", Report: "servers whose tokens do not expire", Part: "lifetime",
			apply: one(document(Token, func(doc map[string]any) { doc["expires_in"] = json.Number("9e18") }))},
		{Name: "scope-with-commas", Does: "separates scopes by commas", Report: "slack.com", Part: "granted scope",
			apply: one(document(Token, func(doc map[string]any) { doc["scope"] = strings.ReplaceAll(doc["scope"].(string), " ", ",") }))},
	}
}

func refreshQuirks() []Quirk {
	deadRefresh := func(name, report string, status int, code, description string) Quirk {
		return Quirk{Name: name, Does: "refuses a refresh token by " + code, Report: report, Part: "refresh",
			Ends:  Ending{Step: "refresh", Exit: signIn, Says: "login required", Hint: "mcp-login login"},
			apply: one(refusing(status, code, description, refreshing))}
	}
	return []Quirk{
		{Name: "refresh-token-kept", Does: "does not rotate the refresh token and leaves it out of the answer", Report: "modelcontextprotocol/rust-sdk#921", Part: "refresh",
			apply: setting(func(s *Server) { s.Tokens.NoRotation = true })},
		{Name: "no-refresh-token", Does: "issues no refresh token", Report: "todoist-mcp#366", Part: "refresh",
			Ends:  Ending{Step: "refresh", Exit: signIn, Says: "no refresh", Hint: "mcp-login login"},
			apply: setting(func(s *Server) { s.Tokens.NoRefresh = true })},
		deadRefresh("dead-refresh-invalid-request", "dexidp/dex, obot-platform/obot#7501, better-auth/better-auth#8103, FlowFuse/flowfuse#8547", http.StatusBadRequest, oauth.CodeInvalidRequest,
			"Refresh token is invalid or has already been claimed by another client."),
		deadRefresh("dead-refresh-own-code", "decocms/studio#3774", http.StatusBadRequest, "bad_refresh_token", ""),
		deadRefresh("dead-refresh-200", "github.com", http.StatusOK, "bad_refresh_token", "The refresh token passed is incorrect or expired."),
		{Name: "refresh-behind-a-firewall", Does: "answers a refresh with a web page and 403", Report: "web application firewalls", Part: "refresh",
			Ends: Ending{Step: "refresh", Exit: temporary, Says: "403"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
				if !refreshing(e, r) {
					return false
				}
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte("<h1>Request blocked</h1>")) // the client has disconnected
				return true
			}})},
		{Name: "refresh-500", Does: "answers a refresh with 500", Report: "servers that are down", Part: "refresh",
			Ends: Ending{Step: "refresh", Exit: temporary, Says: "500"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
				if refreshing(e, r) {
					http.Error(w, "oops", http.StatusInternalServerError)
				}
				return refreshing(e, r)
			}})},
	}
}

func revocationQuirks() []Quirk {
	return []Quirk{
		{Name: "no-revocation", Does: "has no revocation endpoint", Report: "modelcontextprotocol/typescript-sdk", Part: "revocation",
			apply: one(document(Metadata, func(doc map[string]any) { delete(doc, "revocation_endpoint") }))},
		{Name: "access-token-not-revocable", Does: "revokes refresh tokens only", Report: "better-auth/better-auth", Part: "revocation",
			apply: one(refusing(http.StatusBadRequest, oauth.CodeUnsupportedTokenType, "", func(e Endpoint, r *http.Request) bool {
				return e == Revoke && r.PostForm.Get("token_type_hint") == oauth.HintAccessToken
			}))},
		{Name: "revocation-refused", Does: "refuses a public client at the revocation endpoint", Report: "docs.scalekit.com", Part: "revocation",
			Ends:  Ending{Step: "logout", Exit: failed, Says: "not revoked at the server"},
			apply: one(refusing(http.StatusUnauthorized, oauth.CodeInvalidClient, "", at(Revoke)))},
	}
}
