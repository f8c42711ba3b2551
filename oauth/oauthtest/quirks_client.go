package oauthtest

import (
	"net/http"
	"strings"

	"github.com/mcp-login/mcp-login/oauth"
)

func registrationQuirks() []Quirk {
	return []Quirk{
		{Name: "redirect-uris-not-empty", Does: "refuses redirect_uris []", Report: "better-auth/better-auth", Part: "redirect_uris",
			apply: setting(func(s *Server) { s.Clients.Redirects = "not empty" })},
		{Name: "redirect-uris-required", Does: "wants a redirect URI of every client", Report: "better-auth/better-auth", Part: "redirect_uris",
			apply: setting(func(s *Server) { s.Clients.Redirects = "some" })},
		{Name: "no-scope-registered", Does: "refuses a registration that holds scopes of resources", Report: "panva/node-oidc-provider", Part: "registered scope",
			apply: setting(func(s *Server) { s.Clients.RefuseScope = true })},
		{Name: "scope-must-be-registered", Does: "allows only scopes that the client registered", Report: "modelcontextprotocol/go-sdk#1102", Part: "registered scope",
			apply: setting(func(s *Server) { s.Clients.ScopesRegistered = true })},
		{Name: "numeric-client-id", Does: "sends numbers where the registration answer has strings", Report: "laravel/mcp#85", Part: "registration answer",
			apply: setting(func(s *Server) { s.Clients.NumericIDs = true })},
		{Name: "registration-200", Does: "answers a registration with 200", Report: "servers that create nothing new", Part: "registration answer",
			apply: one(change{after: func(e Endpoint, _ *http.Request, a *reply) {
				if e == Register && a.status == http.StatusCreated {
					a.status = http.StatusOK
				}
			}})},
		{Name: "no-registration", Does: "registers no clients", Report: "NousResearch/hermes-agent#112023", Part: "registration",
			Ends:  Ending{Step: "login", Exit: failed, Says: "it offers no dynamic registration", Hint: "--client-id"},
			apply: setting(func(s *Server) { s.Clients.NoRegistration = true })},
		{Name: "documents-only", Does: "knows only clients by a metadata document", Report: "openclaw/openclaw#150247", Part: "registration",
			Ends: Ending{Step: "login", Exit: failed, Says: "client ID metadata document", Hint: "--client-metadata-url"},
			apply: func(s *Server) []change {
				s.Clients.NoRegistration = true
				return []change{document(Metadata, func(doc map[string]any) { doc["client_id_metadata_document_supported"] = true })}
			}},
		{Name: "listed-clients-only", Does: "refuses clients that it does not know by name", Report: "NousResearch/hermes-agent#73141", Part: "registration",
			Ends: Ending{Step: "login", Exit: failed, Says: "registers only clients that the vendor has approved", Hint: "--client-id"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, _ *http.Request) bool {
				if e == Register {
					http.Error(w, "Forbidden", http.StatusForbidden)
				}
				return e == Register
			}})},
	}
}

func clientQuirks() []Quirk {
	return []Quirk{
		{Name: "secret-anyway", Does: "issues a secret to a public client and wants it in the body", Report: "upstash/context7#2009", Part: "authentication",
			apply: setting(func(s *Server) { s.Clients.SecretAnyway = true })},
		{Name: "client-id-in-body", Does: "offers HTTP Basic and wants client_id in the body", Report: "PrefectHQ/fastmcp#4600, metatool-ai/metamcp#342, upstash/context7#2970", Part: "authentication",
			apply: func(s *Server) []change {
				s.Clients.AuthMethods = []string{oauth.AuthClientSecretPost, oauth.AuthClientSecretBasic}
				s.Clients.AnyMethod = true
				return []change{refusing(http.StatusUnauthorized, oauth.CodeInvalidClient, "Missing client_id", func(e Endpoint, r *http.Request) bool {
					return (e == Token || e == DeviceAuth || e == Revoke) && !r.PostForm.Has("client_id")
				})}
			}},
		{Name: "client-forgotten", Does: "forgets a client after its first token", Report: "supabase/mcp#355", Part: "forgotten",
			Ends:  Ending{Step: "refresh", Exit: signIn, Says: "login required", Hint: "mcp-login login"},
			apply: setting(func(s *Server) { s.Clients.Forgotten = true })},
		{Name: "offline-access-refused", Does: "lists offline_access and refuses it", Report: "ChronoAIProject/NyxID#1217", Part: "offered scope",
			apply: func(s *Server) []change {
				s.Tokens.Scopes = []string{"mcp:read", "mcp:write", "offline_access"}
				return []change{
					refusing(http.StatusBadRequest, oauth.CodeInvalidScope, "", func(e Endpoint, r *http.Request) bool {
						return e == DeviceAuth && strings.Contains(r.Form.Get("scope"), "offline_access")
					}),
					document(Protected, func(doc map[string]any) { doc["scopes_supported"] = []string{"mcp:read", "mcp:write"} }),
				}
			}},
		{Name: "device-flow-refused", Does: "offers the device flow and refuses it to registered clients", Report: "NousResearch/hermes-agent#104742", Part: "device endpoint",
			Ends:  Ending{Flow: "device", Step: "login", Exit: failed, Says: "the server does not allow the device flow for this client"},
			apply: one(refusing(http.StatusBadRequest, oauth.CodeUnauthorizedClient, "", at(DeviceAuth)))},
		{Name: "device-client-refused", Does: "offers the device flow and answers invalid_client there", Report: "auth0.com, third-party applications", Part: "device endpoint",
			Ends:  Ending{Flow: "device", Step: "login", Exit: failed, Says: "the server does not allow the device flow for this client", Hint: "--client-id"},
			apply: one(refusing(http.StatusUnauthorized, oauth.CodeInvalidClient, "", at(DeviceAuth)))},
		{Name: "device-flow-disabled", Does: "answers 200 and an error where an app has no device flow", Report: "github.com", Part: "device endpoint",
			Ends:  Ending{Flow: "device", Step: "login", Exit: failed, Says: "device_flow_disabled", Hint: "enable the device flow"},
			apply: one(refusing(http.StatusOK, "device_flow_disabled", "", at(DeviceAuth)))},
		{Name: "resource-refused", Does: "refuses the resource parameter", Report: "anthropics/claude-code#76096", Part: "resource parameter",
			Ends: Ending{Step: "login", Exit: failed, Says: "AADSTS9010010", Hint: "--no-resource"},
			apply: func(*Server) []change {
				const why = "AADSTS9010010: The resource parameter provided in the request does not match with the requested scopes."
				return []change{{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
					if e != DeviceAuth && e != Token || !r.PostForm.Has("resource") {
						return false
					}
					refuse(w, http.StatusBadRequest, oauth.CodeInvalidTarget, why)
					return true
				}}}
			}},
	}
}
