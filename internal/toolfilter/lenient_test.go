package toolfilter_test

import (
	"encoding/json"
	"strings"
)

// callsOf returns the tools that a lenient parser would call for a text.
func callsOf(text string) (tools []string) {
	var batch []json.RawMessage
	if json.Unmarshal([]byte(text), &batch) != nil {
		batch = []json.RawMessage{json.RawMessage(text)}
	}
	for _, text := range batch {
		var m struct {
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		var p struct {
			Name string `json:"name"`
		}
		_ = json.Unmarshal(text, &m) // what it can parse
		_ = json.Unmarshal(m.Params, &p)
		if strings.EqualFold(strings.TrimSpace(m.Method), "tools/call") {
			tools = append(tools, p.Name)
		}
	}
	return tools
}
