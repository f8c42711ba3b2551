//go:build e2e && clients

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// model replaces the model of an MCP client. It signs in, approves on the server's
// page, and then calls a tool of the server.
type model struct {
	*httptest.Server
	t          *testing.T
	fixedTools bool // the tools of a conversation never change

	mu sync.Mutex // protects progress
	progress
}

// progress is what a model has done so far.
type progress struct {
	calls      int // number of tool calls
	approved   bool
	signedIn   bool
	calledTool bool // the model called the server's tool
	gotResult  bool // the tool returned the user
}

// progressSoFar returns what the model has done so far.
func (m *model) progressSoFar() progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.progress
}

// reply is the next message of the model: a tool call or, without a tool, a text.
type reply struct{ tool, args, text string }

// startModel starts a model with the API of a vendor.
func startModel(t *testing.T, serve func(m *model, w http.ResponseWriter, body []byte)) *model {
	t.Helper()
	m := &model{t: t}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			return
		}
		serve(m, w, body)
	}))
	t.Cleanup(m.Close)
	return m
}

var (
	signInTool = regexp.MustCompile(`"name":\s*"([\w.-]*sign_in)"`)
	whoamiTool = regexp.MustCompile(`"name":\s*"([\w.-]*whoami)"`)
)

// nextReply decides by the request, which has the client's tools and the conversation.
func (m *model) nextReply(body []byte) reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := strings.NewReplacer(`\u0026`, "&", `\\u0026`, "&").Replace(string(body))
	signIn, whoami := signInTool.FindStringSubmatch(text), whoamiTool.FindStringSubmatch(text)
	m.signedIn = m.signedIn || strings.Contains(text, "Signed in to ")
	switch {
	case signIn == nil && whoami == nil:
		return reply{text: "nothing to do"} // a request outside the conversation, such as for its title
	case m.calledTool:
		m.gotResult = m.gotResult || strings.Contains(text, "user demo through ")
		return reply{text: "you are demo"}
	case m.signedIn && whoami != nil:
		m.calledTool = true
		return m.call(whoami[1], `{}`)
	case m.fixedTools && strings.Contains(text, "start a new conversation"):
		return reply{text: "the tools appear later"}
	case signIn == nil:
		return reply{text: "no tool to sign in"}
	}
	// Call the tool until the other tools appear: a client may need a turn for that.
	if shownLink.MatchString(text) && !m.approved {
		m.approved = true
		approveAt(m.t, text)
	}
	return m.call(signIn[1], `{}`)
}

func (m *model) call(tool, args string) reply {
	m.calls++
	if m.calls > 10 {
		return reply{text: "it does not end"}
	}
	return reply{tool: tool, args: args}
}

// writeEvents writes a stream of server-sent events.
func writeEvents(w http.ResponseWriter, all ...any) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, event := range all {
		text, err := json.Marshal(event)
		if err != nil {
			panic(err)
		}
		if fields, ok := event.(object); ok && fields["type"] != nil {
			fmt.Fprintf(w, "event: %s\n", fields["type"])
		}
		fmt.Fprintf(w, "data: %s\n\n", text)
	}
}

type (
	object = map[string]any
	array  = []any
)

// anthropic implements the Messages API.
func anthropic(m *model, w http.ResponseWriter, body []byte) {
	next, reason := m.nextReply(body), "end_turn"
	block, delta := object{"type": "text", "text": ""}, object{"type": "text_delta", "text": next.text}
	if next.tool != "" {
		reason = "tool_use"
		block = object{"type": "tool_use", "id": fmt.Sprintf("toolu_%d", m.calls), "name": next.tool, "input": object{}}
		delta = object{"type": "input_json_delta", "partial_json": next.args}
	}
	usage := object{"input_tokens": 1, "output_tokens": 1}
	writeEvents(w,
		object{"type": "message_start", "message": object{"id": "msg_1", "type": "message", "role": "assistant", "model": "stand-in", "content": array{}, "usage": usage}},
		object{"type": "content_block_start", "index": 0, "content_block": block},
		object{"type": "content_block_delta", "index": 0, "delta": delta},
		object{"type": "content_block_stop", "index": 0},
		object{"type": "message_delta", "delta": object{"stop_reason": reason}, "usage": usage},
		object{"type": "message_stop"},
	)
}

// gemini implements the Gemini API.
func gemini(m *model, w http.ResponseWriter, body []byte) {
	next := m.nextReply(body)
	part := object{"text": next.text}
	if next.tool != "" {
		part = object{"functionCall": object{"name": next.tool, "args": json.RawMessage(next.args)}}
	}
	writeEvents(w, object{
		"candidates":    array{object{"index": 0, "finishReason": "STOP", "content": object{"role": "model", "parts": array{part}}}},
		"usageMetadata": object{"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
	})
}

// completions implements the Chat Completions API.
func completions(m *model, w http.ResponseWriter, body []byte) {
	next, reason := m.nextReply(body), "stop"
	delta := object{"role": "assistant", "content": next.text}
	if next.tool != "" {
		reason = "tool_calls"
		delta = object{"role": "assistant", "tool_calls": array{object{
			"index": 0, "id": fmt.Sprintf("call_%d", m.calls), "type": "function", "function": object{"name": next.tool, "arguments": next.args},
		}}}
	}
	chunk := func(delta object, reason any) object {
		return object{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "stand-in", "choices": array{object{"index": 0, "delta": delta, "finish_reason": reason}}}
	}
	writeEvents(w, chunk(delta, nil), chunk(object{}, reason))
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// responses implements the Responses API.
func responses(m *model, w http.ResponseWriter, body []byte) {
	next := m.nextReply(body)
	item := object{"type": "message", "id": "msg_1", "role": "assistant", "content": array{object{"type": "output_text", "text": next.text}}}
	if next.tool != "" {
		item = object{"type": "function_call", "id": "fc_1", "call_id": fmt.Sprintf("call_%d", m.calls), "namespace": "mcp__demo", "name": next.tool, "arguments": next.args}
	}
	writeEvents(w,
		object{"type": "response.created", "response": object{"id": "resp_1"}},
		object{"type": "response.output_item.done", "output_index": 0, "item": item},
		object{"type": "response.completed", "response": object{"id": "resp_1", "usage": object{"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}},
	)
}

// realClient is a real MCP client with a fake model.
type realClient struct {
	serve func(*model, http.ResponseWriter, []byte)
	// argv prepares the home for the client and returns its command.
	argv func(d *clientHome, m *model) []string
	// fixedTools means that new tools appear only in the client's next conversation.
	fixedTools bool
}

const request = "Sign in and say who I am."

// realClients has the clients by their names in client-config.
var realClients = map[string]realClient{
	"claude-code": {serve: anthropic, argv: func(d *clientHome, m *model) []string {
		d.env = append(d.env, "ANTHROPIC_API_KEY=stand-in", "ANTHROPIC_BASE_URL="+m.URL, "ENABLE_TOOL_SEARCH=false", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1")
		return []string{"claude", "-p", request, "--allowedTools", "mcp__demo__sign_in,mcp__demo__whoami"}
	}},
	"gemini": {serve: gemini, argv: func(d *clientHome, m *model) []string {
		d.env = append(d.env, "GEMINI_API_KEY=stand-in", "GOOGLE_GEMINI_BASE_URL="+m.URL)
		d.writeFile(".gemini/settings.json", `{"security":{"auth":{"selectedType":"gemini-api-key"}}}`)
		return []string{"gemini", "-m", "gemini-2.5-flash", "--yolo", "-p", request}
	}},
	"opencode": {serve: completions, argv: func(d *clientHome, m *model) []string {
		d.writeFile("opencode.json", `{"model":"stand-in/m","small_model":"stand-in/m","provider":{"stand-in":{"npm":"@ai-sdk/openai-compatible","options":{"baseURL":"`+m.URL+`/v1","apiKey":"stand-in"},"models":{"m":{"tool_call":true}}}}}`)
		return []string{"opencode", "run", request}
	}},
	"codex": {serve: responses, argv: func(d *clientHome, m *model) []string {
		d.env = append(d.env, "STAND_IN_KEY=stand-in")
		d.writeFile(".codex/config.toml", `
model = "stand-in"
model_provider = "stand-in"
approval_policy = "never"
sandbox_mode = "danger-full-access"
[features]
mcp_tool_list_changed = true
[model_providers.stand-in]
name = "stand-in"
base_url = "`+m.URL+`/v1"
wire_api = "responses"
env_key = "STAND_IN_KEY"
`)
		return []string{"codex", "exec", "--skip-git-repo-check", "-c", "mcp_servers.demo.required=true", "-c", `mcp_servers.demo.default_tools_approval_mode="approve"`, request}
	}},
	"copilot-cli": {serve: completions, argv: func(d *clientHome, m *model) []string {
		d.env = append(d.env, "COPILOT_OFFLINE=true", "COPILOT_MODEL=stand-in", "COPILOT_PROVIDER_BASE_URL="+m.URL+"/v1")
		return []string{"copilot", "--allow-all-tools", "-p", request}
	}},
	"cline": {serve: completions, fixedTools: true, argv: func(d *clientHome, m *model) []string {
		d.env = append(d.env, "CLINE_SESSION_BACKEND_MODE=local") // otherwise it leaves a process running
		d.checkOutput("", filepath.Join(d.bin, "cline"), "auth", "-p", "openai", "-k", "stand-in", "-m", "stand-in", "-b", m.URL+"/v1")
		return []string{"cline", request}
	}},
}

// TestClientsSignIn: the user of each client writes its configuration with
// client-config and signs in with a tool that the client's model calls. The model then
// calls a tool of the server.
func TestClientsSignIn(t *testing.T) {
	demo := startPages(t)
	for name, tt := range realClients {
		t.Run(name, func(t *testing.T) {
			d := newClientHome(t)
			m := startModel(t, tt.serve)
			m.fixedTools = tt.fixedTools
			argv := tt.argv(d, m)
			argv[0] = filepath.Join(d.bin, argv[0])
			d.configure(name, demo.MCP())
			if tt.fixedTools {
				d.checkOutput("the tools appear later", argv...)
			}
			d.checkOutput("you are demo", argv...)
			if progress := m.progressSoFar(); !progress.approved || !progress.calledTool || !progress.gotResult {
				t.Errorf("approved %t, the tool was called %t, got its result %t", progress.approved, progress.calledTool, progress.gotResult)
			}
		})
	}
}
