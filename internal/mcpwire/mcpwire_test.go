package mcpwire_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// TestSameID: a server may format an ID differently than it was sent.
func TestSameID(t *testing.T) {
	for _, tt := range []struct {
		response, request string
		want              bool
	}{
		{`7`, `7`, true}, {`7.0`, `7`, true}, {`"a"`, `"\u0061"`, true}, {`123456789012345678901`, `123456789012345678901`, true},
		{`"7"`, `7`, false}, {`8`, `7`, false}, {`null`, `7`, false}, {``, `7`, false}, {`[7]`, `7`, false}, {`{}`, `7`, false},
	} {
		if got := mcpwire.SameID(json.RawMessage(tt.response), json.RawMessage(tt.request)); got != tt.want {
			t.Errorf("SameID(%s, %s) = %v", tt.response, tt.request, got)
		}
	}
}

// TestRepeated: the headers repeat values of the message, so that intermediaries
// need not parse it (SEP-2243).
func TestRepeated(t *testing.T) {
	const list = `{"result":{"tools":[{"name":"t","inputSchema":{"properties":{
		"region":{"x-mcp-header":"Region"}, "n":{"x-mcp-header":"N"}, "deep":{"properties":{"code":{"x-mcp-header":"Code"}}},
		"list":{"x-mcp-header":"List"}, "half":{"x-mcp-header":"Half"}, "bad":{"x-mcp-header":"not a token"}, "absent":{"x-mcp-header":"Absent"}
	}}},{"name":"other","inputSchema":true}]}}`
	r := mcpwire.Repeated{Method: "tools/call", Name: "täst", Bindings: mcpwire.Bindings([]byte(list))["t"]}
	if err := json.Unmarshal([]byte(`{"region":" Żory","n":7,"deep":{"code":true},"list":[1],"half":1.5,"bad":"x"}`), &r.Arguments); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	r.SetOn(h)
	want := map[string]string{
		"Mcp-Method": "tools/call", "Mcp-Name": "=?base64?dMOkc3Q=?=", "Mcp-Param-Region": "=?base64?IMW7b3J5?=", "Mcp-Param-N": "7", "Mcp-Param-Code": "true",
	}
	for name, value := range want {
		if h.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, h.Get(name), value)
		}
	}
	if len(h) != len(want) {
		t.Errorf("headers %v", h)
	}
	none := http.Header{}
	if (mcpwire.Repeated{Name: "x"}).SetOn(none); len(none) != 0 {
		t.Errorf("a response has the headers %v", none)
	}
}

func TestMessages(t *testing.T) {
	for want, got := range map[string][]byte{
		`{"jsonrpc":"2.0","id":7,"method":"m","params":{"a":"<>"}}`:             mcpwire.Request(7, "m", map[string]string{"a": "<>"}),
		`{"jsonrpc":"2.0","method":"m"}`:                                        mcpwire.Request(nil, "m", nil),
		`{"jsonrpc":"2.0","id":"a","result":{}}`:                                mcpwire.Result(json.RawMessage(`"a"`), struct{}{}),
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}`:    mcpwire.Failure(nil, mcpwire.CodeParse, "no"),
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no","x":1}}`: mcpwire.FailureOf(json.RawMessage("1"), json.RawMessage(`{"code":-32601,"message":"no","x":1}`)),
	} {
		if string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
