package httpsse

import "testing"

// TestHeads: the ID and method of a message are found in any order of its members;
// long parts after them are not read.
func TestHeads(t *testing.T) {
	for text, want := range map[string]struct {
		id, method string
		invalid    bool
	}{
		`{"jsonrpc":"2.0","id":7,"result":[long`:                {id: "7"},
		`{"jsonrpc":"2.0","id":"a","error":{long`:               {id: `"a"`},
		`{"jsonrpc":"2.0","id":7,"method":"ping","params":long`: {id: "7", method: "ping"},
		`{"result":{"id":8,"method":"x"},"id":7}`:               {id: "7"},
		`{"params":{"id":8},"method":"ping","id":7}`:            {id: "7", method: "ping"},
		`{"method":"note","params":{"id":8}}`:                   {method: "note"},
		`{"id":null,"error":{}}`:                                {id: "null"},
		`{"ID":7,"Method":"x"}`:                                 {},
		`{"result":{"cut":`:                                     {invalid: true},
		`{"id":7`:                                               {invalid: true},
		`{"id":7,"method":8}`:                                   {invalid: true},
		`7`:                                                     {invalid: true},
		``:                                                      {invalid: true},
	} {
		all := parseMessages([]byte(text))
		if want.invalid != (len(all) == 0) {
			t.Errorf("%s: %d messages", text, len(all))
		}
		for _, h := range all {
			if string(h.ID) != want.id || h.Method != want.method || h.text != nil {
				t.Errorf("%s: id %s, method %q", text, h.ID, h.Method)
			}
		}
	}
	if all := parseMessages([]byte(`[{"id":1,"result":{}},{"method":"note"}]`)); len(all) != 2 || string(all[0].ID) != "1" || all[1].Method != "note" {
		t.Errorf("a list: %+v", all)
	}
}
