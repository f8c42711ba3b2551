package oauthtest

import (
	"net/http"
	"strings"

	"github.com/mcp-login/mcp-login/oauth"
)

func challengeQuirks() []Quirk {
	gone := func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
		if e == Protected {
			http.NotFound(w, r)
		}
		return e == Protected
	}
	return []Quirk{
		{Name: "metadata-below-a-path", Does: "has no resource metadata, and its own metadata only under the path of the MCP server", Report: "peaberry-studio/arche#398", Part: "metadata,resource,issuer,resource parameter",
			apply: func(s *Server) []change {
				s.Tokens.AnyResource = true
				return []change{{metadata: []string{wellKnownServer + "/mcp"}, instead: gone},
					challenging(func(string) []string { return []string{`Bearer scope="mcp:read mcp:write"`} })}
			}},
		{Name: "resource-metadata-404-first", Does: "names two places of its metadata, and nothing is at the first", Report: "getsentry/sentry-mcp#939", Part: "challenge",
			apply: one(challenging(func(metadata string) []string {
				return []string{`Bearer resource_metadata="` + strings.TrimSuffix(metadata, "/mcp") + `/gone"`, `Bearer resource_metadata="` + metadata + `"`}
			}))},
		{Name: "single-quotes", Does: "puts resource_metadata into single quotes", Report: "QwenLM/qwen-code#5343", Part: "challenge",
			apply: one(challenging(func(metadata string) []string { return []string{`Bearer resource_metadata='` + metadata + `'`} }))},
		{Name: "resource-metadata-relative", Does: "names the place of its metadata by a path", Report: "servers that do not know their own host", Part: "challenge",
			apply: one(challenging(func(string) []string { return []string{`Bearer resource_metadata="/metadata.json"`} }))},
		{Name: "http-behind-tls", Does: "names an http URL although it is reached by https", Report: "andrea-magni/MARS#203", Part: "challenge",
			apply: one(challenging(func(metadata string) []string {
				return []string{`Bearer resource_metadata="` + strings.Replace(metadata, "https://", "http://", 1) + `"`}
			}))},
		{Name: "old-version-only", Does: "answers 400 to a protocol version that it does not know, before it looks for a token", Report: "different-ai/openwork#3569", Part: "MCP server,challenge",
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
				version := r.Header.Get("Mcp-Protocol-Version")
				refused := e == MCP && version > "2025-11-25"
				if refused {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusBadRequest)
					_, _ = w.Write([]byte(`{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Unsupported protocol version"},"id":null}`)) // the client has disconnected
				}
				return refused
			}})},
		{Name: "no-challenge", Does: "answers 401 without WWW-Authenticate", Report: "modelcontextprotocol SEP-985", Part: "challenge",
			apply: one(challenging(func(string) []string { return nil }))},
	}
}

func issuerQuirks() []Quirk {
	return []Quirk{
		{Name: "http-resource", Does: "publishes its own URL with http although it is reached by https", Report: "Mnexa-AI/e2a#635", Part: "resource",
			Ends: Ending{Step: "login", Exit: failed, Says: "resource mismatch", Hint: "--issuer"},
			apply: one(document(Protected, func(doc map[string]any) {
				doc["resource"] = strings.Replace(doc["resource"].(string), "https://", "http://", 1)
			}))},
		{Name: "no-authorization-servers", Does: "names no authorization server in its resource metadata, and is one itself", Report: "servers of MCP 2025-03-26", Part: "issuer",
			apply: one(document(Protected, func(doc map[string]any) { delete(doc, "authorization_servers") }))},
		{Name: "unknown-authorization-server", Does: "names no authorization server, and publishes no metadata of one", Report: "servers of MCP 2025-03-26", Part: "issuer,metadata,PKCE,iss,revocation,registration,MCP server,authentication,device endpoint",
			Ends: Ending{Step: "login", Exit: failed, Says: "lists no usable authorization server", Hint: "--issuer ISSUER"},
			apply: func(*Server) []change {
				return []change{
					document(Protected, func(doc map[string]any) { delete(doc, "authorization_servers") }),
					{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
						if e == Metadata {
							http.NotFound(w, r)
						}
						return e == Metadata
					}},
				}
			}},
		{Name: "issuer-missing", Does: "publishes metadata that name no issuer", Report: "PagerDuty/pagerduty-mcp-server#169", Part: "issuer",
			Ends:  Ending{Step: "login", Exit: failed, Says: "issuer mismatch", Hint: "--token-endpoint"},
			apply: one(document(Metadata, func(doc map[string]any) { delete(doc, "issuer") }))},
		{Name: "issuer-with-a-slash", Does: "names an issuer with a slash at its end that its metadata lack", Report: "github/copilot-cli#4606", Part: "issuer",
			Ends: Ending{Step: "login", Exit: failed, Says: "issuer mismatch", Hint: "--accept-issuer"},
			apply: one(document(Protected, func(doc map[string]any) {
				doc["authorization_servers"] = []string{doc["authorization_servers"].([]any)[0].(string) + "/"}
			}))},
		{Name: "no-pkce-in-metadata", Does: "does not say that it supports PKCE", Report: "vercel/ai#17485", Part: "PKCE",
			Ends:  Ending{Flow: "paste", Step: "login", Exit: failed, Says: "PKCE", Hint: "--assume-pkce"},
			apply: one(document(Metadata, func(doc map[string]any) { delete(doc, "code_challenge_methods_supported") }))},
	}
}

// serverQuirks are quirks of URLs that are not an MCP server, and of authorization
// responses.
func serverQuirks() []Quirk {
	return []Quirk{
		{Name: "open-until-a-call", Does: "lists its tools without a token, asks for one at calls, and publishes nothing", Report: "punkpeye/mcp-remote#286", Part: "MCP server,challenge,metadata,resource,dead token",
			Ends: Ending{Step: "login", Exit: failed, Says: "requires no authorization", Hint: "--issuer ISSUER"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
				if e == Protected {
					http.NotFound(w, r)
				} else if e == MCP && r.Header.Get("Authorization") == "" {
					writeJSON(w, http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": 1, "result": map[string]any{"tools": []any{}}})
				} else {
					return false
				}
				return true
			}})},
		{Name: "web-page", Does: "answers every request with a web page", Report: "a URL that is not of an MCP server", Part: "MCP server",
			Ends: Ending{Step: "login", Exit: failed, Says: "answers with a web page"},
			apply: one(change{instead: func(_ Endpoint, w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = w.Write([]byte("<!doctype html>")) // the client has disconnected
				return true
			}})},
		{Name: "no-protocol-version", Does: "answers initialize without a protocol version", Report: "servers that answer every request alike", Part: "MCP answer",
			Ends: Ending{Step: "test", Exit: failed, Says: "unsupported protocol version", Hint: "--protocol"},
			apply: one(document(MCP, func(doc map[string]any) {
				if result, ok := doc["result"].(map[string]any); ok {
					delete(result, "protocolVersion")
				}
			}))},
		{Name: "path-redirected", Does: "redirects /mcp to /mcp/", Report: "zoho/analytics-mcp-server#22", Part: "MCP server",
			Ends: Ending{Step: "login", Exit: failed, Says: "redirects to", Hint: "https://mcp.test/mcp/"},
			apply: one(change{instead: func(e Endpoint, w http.ResponseWriter, r *http.Request) bool {
				if e == MCP {
					http.Redirect(w, r, "/mcp/", http.StatusTemporaryRedirect)
				}
				return e == MCP
			}})},
		{Name: "iss-omitted", Does: "says that it sends iss, and does not", Report: "cloudflare/mcp-server-cloudflare#449", Part: "iss",
			Ends: Ending{Flow: "paste", Step: "login", Exit: failed, Says: "does not name its issuer", Hint: "--accept-missing-iss"},
			apply: func(s *Server) []change {
				s.Consent.NoIss = true
				return []change{document(Metadata, func(doc map[string]any) { doc["authorization_response_iss_parameter_supported"] = true })}
			}},
		{Name: "iss-unadvertised", Does: "sends iss without saying so in its metadata", Report: "getsentry/sentry-mcp", Part: "iss",
			apply: one(document(Metadata, func(doc map[string]any) { delete(doc, "authorization_response_iss_parameter_supported") }))},
	}
}

func deviceQuirks() []Quirk {
	return []Quirk{
		{Name: "device-code-plain", Does: "sends neither interval nor verification_uri_complete, as Microsoft Entra", Report: "learn.microsoft.com/entra", Part: "device answer",
			apply: setting(func(s *Server) { s.Device.NoInterval, s.Device.NoComplete = true, true })},
		{Name: "verification-url", Does: "calls verification_uri verification_url", Report: "developers.google.com/identity", Part: "device answer",
			apply: one(document(DeviceAuth, func(doc map[string]any) {
				doc["verification_url"] = doc["verification_uri"]
				delete(doc, "verification_uri")
			}))},
		{Name: "slow-down", Does: "asks twice for slower polling", Report: "cli/cli#9370", Part: "polling",
			apply: setting(func(s *Server) { s.Device.SlowDowns, s.Device.AutoApprove = 2, 3 })},
		{Name: "pending-with-401", Does: "answers polls that are pending with 401", Report: "dexidp/dex#4240", Part: "polling",
			apply: func(s *Server) []change {
				s.Device.AutoApprove = 2
				return []change{{after: func(_ Endpoint, _ *http.Request, a *reply) {
					if a.code() == oauth.CodeAuthorizationPending {
						a.status = http.StatusUnauthorized
					}
				}}}
			}},
	}
}
