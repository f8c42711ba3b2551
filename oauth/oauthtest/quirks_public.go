package oauthtest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/oauth"
)

// publicQuirks are quirks reported for public servers.
func publicQuirks() []Quirk {
	return slices.Concat(publicIssuers(), publicRegistrations(), publicScopes(), publicEndpoints(), deadTokens())
}

func publicIssuers() []Quirk {
	return []Quirk{
		{Name: "issuer-with-a-path", Does: "names an issuer whose metadata have a path behind it", Report: "atlassian/atlassian-mcp-server#205", Part: "issuer",
			Ends:  Ending{Step: "login", Exit: failed, Says: "issuer mismatch", Hint: "--accept-issuer"},
			apply: one(document(Metadata, func(doc map[string]any) { doc["issuer"] = doc["issuer"].(string) + "/tenant" }))},
		{Name: "issuer-on-another-host", Does: "names an issuer whose metadata name another host", Report: "PagerDuty/pagerduty-mcp-server#169", Part: "issuer",
			Ends:  Ending{Step: "login", Exit: failed, Says: "issuer mismatch", Hint: "--accept-issuer"},
			apply: one(document(Metadata, func(doc map[string]any) { doc["issuer"] = "https://vendor.test" }))},
		{Name: "iss-foreign", Does: "sends the iss of another server", Report: "punkpeye/mcp-remote#359", Part: "iss",
			Ends:  Ending{Flow: "paste", Step: "login", Exit: failed, Says: "names a different issuer", Hint: "--flow device"},
			apply: setting(func(s *Server) { s.Consent.Iss = "https://other.test" })},
	}
}

func publicRegistrations() []Quirk {
	return []Quirk{
		{Name: "registration-400", Does: "refuses to register web clients, as it calls all", Report: "ClickUp, appstrate#602", Part: "registration",
			Ends:  Ending{Step: "login", Exit: failed, Says: "does not register clients of this kind", Hint: "--client-id"},
			apply: one(refusing(http.StatusBadRequest, oauth.CodeInvalidClientMetadata, "this client is not allowed", at(Register)))},
		{Name: "registration-401", Does: "registers only clients with an initial access token", Report: "Okta", Part: "registration",
			Ends:  Ending{Step: "login", Exit: failed, Says: "initial access token", Hint: "--initial-access-token-from"},
			apply: one(refusing(http.StatusUnauthorized, oauth.CodeInvalidToken, "", at(Register)))},
		{Name: "registration-page", Does: "answers a registration with a web page", Report: "servers behind a login page", Part: "registration",
			Ends: Ending{Step: "login", Exit: failed, Says: "no client registration", Hint: "--client-id"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, _ *http.Request) bool {
				if e == Register {
					w.Header().Set("Content-Type", "text/html")
					_, _ = w.Write([]byte("<h1>Welcome</h1>")) // the client has disconnected
				}
				return e == Register
			}})},
		{Name: "redirect-uris-as-text", Does: "answers a registration with a text in the place of redirect URIs", Report: "servers that echo a form field", Part: "registration answer",
			apply: one(document(Register, func(doc map[string]any) { doc["redirect_uris"] = "x" }))},
		{Name: "redirect-uris-replaced", Does: "registers other redirect URIs than were asked for", Report: "servers for one web client", Part: "registration answer",
			Ends:  Ending{Flow: "paste", Step: "login", Exit: failed, Says: "redirect", Hint: "--redirect-url https://vendor.test/callback"},
			apply: one(document(Register, func(doc map[string]any) { doc["redirect_uris"] = []string{"https://vendor.test/callback"} }))},
		{Name: "redirect-port-exact", Does: "compares the port of a loopback redirect URI, too", Report: "anthropics/claude-code#47185, github/copilot-cli#4901", Part: "redirect port",
			apply: func(s *Server) []change {
				return []change{{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
					c := s.clients[r.URL.Query().Get("client_id")]
					refused := e == Authorize && c != nil && !slices.Contains(c.RedirectURIs, r.URL.Query().Get("redirect_uri"))
					if refused {
						http.Error(w, "redirect_uri does not match", http.StatusBadRequest)
					}
					return refused
				}}}
			}},
		{Name: "loopback-refused", Does: "refuses 127.0.0.1 as the host of a redirect URI", Report: "github/copilot-cli#4793", Part: "redirect_uris,redirect host",
			Ends: Ending{Flow: "paste", Step: "login", Exit: failed, Says: "does not accept this redirect URI", Hint: "--redirect-host localhost"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
				refused := e == Register && strings.Contains(bodyOf(r), "http://127.0.0.1")
				if refused {
					refuse(w, http.StatusBadRequest, oauth.CodeInvalidRedirectURI, "")
				}
				return refused
			}})},
	}
}

func publicScopes() []Quirk {
	return []Quirk{
		{Name: "scope-refused", Does: "lists a scope that it refuses to most clients", Report: "NousResearch/hermes-agent#101467", Part: "offered scope,registered scope,granted scope,metadata",
			Ends: Ending{Step: "login", Exit: failed, Says: "invalid_scope", Hint: "--scope"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
				switch {
				case e == DeviceAuth && strings.Contains(r.Form.Get("scope"), "mcp:write"):
					refuse(w, http.StatusBadRequest, oauth.CodeInvalidScope, "")
				case e == Authorize && strings.Contains(r.URL.Query().Get("scope"), "mcp:write"):
					q := r.URL.Query()
					http.Redirect(w, r, q.Get("redirect_uri")+"?error=invalid_scope&iss="+baseURL(r)+"&state="+q.Get("state"), http.StatusFound)
				default:
					return false
				}
				return true
			}})},
		{Name: "refresh-token-for-offline-access", Does: "issues a refresh token only with offline_access", Report: "vercel.com, docs.scalekit.com", Part: "offered scope,granted scope,refresh,registered scope",
			apply: func(s *Server) []change {
				s.Tokens.Scopes = []string{"mcp:read", "mcp:write", "offline_access"}
				return []change{
					document(Protected, func(doc map[string]any) { doc["scopes_supported"] = []string{"mcp:read", "mcp:write"} }),
					document(Token, func(doc map[string]any) {
						if scope, _ := doc["scope"].(string); !strings.Contains(scope, "offline_access") {
							delete(doc, "refresh_token")
						}
					}),
				}
			}},
	}
}

func publicEndpoints() []Quirk {
	return []Quirk{
		{Name: "resource-with-a-slash", Does: "publishes its URL with a slash behind it and compares exactly", Report: "vercel/ai#13988", Part: "resource,resource parameter,challenge,metadata",
			apply: func(*Server) []change {
				return []change{document(Protected, func(doc map[string]any) { doc["resource"] = doc["resource"].(string) + "/" }), {instead: wantSlash}}
			}},
		{Name: "well-known-401", Does: "answers 401 at every place of resource metadata", Report: "apify/mcpc#388", Part: "metadata,resource,issuer,resource parameter,challenge",
			apply: func(s *Server) []change {
				s.Tokens.AnyResource = true
				return []change{
					refusing(http.StatusUnauthorized, oauth.CodeInvalidToken, "", at(Protected)),
					challenging(func(string) []string { return []string{`Bearer realm="mcp"`} }),
				}
			}},
		{Name: "stale-server-document", Does: "keeps the document of its former authorization server at its root, and names another one", Report: "apify/mcpc#388", Part: "metadata,resource,issuer,iss",
			apply: func(s *Server) []change {
				s.Consent.NoIss = true
				return []change{{metadata: []string{wellKnownServer, wellKnownServer + "/as"}, after: staleAtRoot}}
			}},
		{Name: "authorize-names-the-resource", Does: "has the resource in the URL of its authorization endpoint", Report: "getsentry/sentry-mcp", Part: "authorization endpoint,resource,resource parameter,metadata",
			apply: one(document(Metadata, func(doc map[string]any) {
				doc["authorization_endpoint"] = doc["authorization_endpoint"].(string) + "?resource=https%3A%2F%2Fmcp.test%2Fmcp"
			}))},
		{Name: "authorize-with-a-query", Does: "has a query in the URL of its authorization endpoint", Report: "slack.com", Part: "authorization endpoint,metadata",
			apply: one(document(Metadata, func(doc map[string]any) {
				doc["authorization_endpoint"] = doc["authorization_endpoint"].(string) + "?team=T1"
			}))},
	}
}

// staleAtRoot moves the authorization server to the path /as. The document at the root
// has stale endpoints.
func staleAtRoot(e Endpoint, r *http.Request, a *reply) {
	const suffix = "/as"
	a.edit(func(doc map[string]any) {
		switch {
		case e == Protected:
			doc["authorization_servers"] = []string{baseURL(r) + suffix}
		case e == Metadata && strings.HasSuffix(r.URL.Path, suffix):
			doc["issuer"] = baseURL(r) + suffix
		case e == Metadata:
			for _, name := range []string{"authorization_endpoint", "token_endpoint", "registration_endpoint", "device_authorization_endpoint"} {
				doc[name] = baseURL(r) + "/former"
			}
		}
	})
}

func deadTokens() []Quirk {
	return []Quirk{
		deadToken("dead-token-200", "Doist/todoist-mcp#366", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[{"type":"text","text":"unauthorized"}]}}`)) // the client has disconnected
		}),
		deadToken("dead-token-307", "PrefectHQ/fastmcp#2461", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login", http.StatusTemporaryRedirect)
		}),
		deadToken("dead-token-400", "PrefectHQ/fastmcp#2461", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			http.Error(w, "token expired", http.StatusBadRequest)
		}),
	}
}

// deadToken returns a quirk of servers that respond to an invalid token with
// something other than 401.
func deadToken(name, report string, answer http.HandlerFunc) Quirk {
	return Quirk{Name: name, Does: "answers a dead token with " + name[len(name)-3:], Report: report, Part: "dead token",
		apply: one(change{after: func(e Endpoint, r *http.Request, a *reply) {
			if e == MCP && a.status == http.StatusUnauthorized && r.Header.Get("Authorization") != "" {
				a.replace(answer, r)
			}
		}})}
}

// wantSlash rejects a resource without a trailing slash, and removes the slash
// for the fake server.
func wantSlash(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
	if e == Authorize {
		query := strings.Replace(r.URL.RawQuery, "%2Fmcp%2F", "%2Fmcp", 1)
		refused := query == r.URL.RawQuery && strings.Contains(query, "resource=")
		r.Form.Set("resource", strings.TrimSuffix(r.Form.Get("resource"), "/"))
		if r.URL.RawQuery = query; refused {
			http.Error(w, "unknown resource", http.StatusBadRequest)
		}
		return refused
	}
	resource := r.PostForm.Get("resource")
	if e != DeviceAuth && e != Token || resource == "" {
		return false
	}
	bare, slash := strings.CutSuffix(resource, "/")
	if !slash {
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidTarget, "unknown resource")
		return true
	}
	r.PostForm.Set("resource", bare)
	r.Form.Set("resource", bare)
	return false
}
