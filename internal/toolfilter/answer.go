package toolfilter

import (
	"bytes"
	"encoding/json"
)

// tool is a tool that a server lists.
type tool struct {
	name     string
	readOnly bool
	text     json.RawMessage
}

// readTool reads a tool. One without a name cannot be called.
func readTool(text json.RawMessage) (t tool, ok bool) {
	var fields, hints map[string]json.RawMessage // exact names, unlike struct tags
	if json.Unmarshal(text, &fields) != nil || json.Unmarshal(fields["name"], &t.name) != nil || t.name == "" || len(t.name) > maxName {
		return t, false
	}
	_ = json.Unmarshal(fields["annotations"], &hints) // another type than expected: none
	t.text, t.readOnly = text, string(hints["readOnlyHint"]) == "true"
	return t, true
}

// filterMessages returns a message of the server, or a list of them, with the tools that the
// client may use, and notes what there are.
func (f *Filter) filterMessages(text []byte) []byte {
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '[' {
		return f.filterMessage(text)
	}
	var all []json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return text
	}
	for i := range all {
		all[i] = f.filterMessage(all[i])
	}
	return jsonArray(all)
}

func (f *Filter) filterMessage(text []byte) []byte {
	all := decodeObject(text)
	var method string // some servers write it with \/
	if json.Unmarshal(memberValue(all, "method"), &method) == nil && method == toolsChanged {
		f.resetTools()
		return text
	}
	result := decodeObject(memberValue(all, "result"))
	var listed []json.RawMessage
	if tools := memberValue(result, "tools"); tools == nil || json.Unmarshal(tools, &listed) != nil {
		return text
	}
	replace(result, "tools", jsonArray(f.allowedTools(listed)))
	replace(all, "result", encodeObject(result))
	return encodeObject(all)
}

// allowedTools returns those of the listed tools that the client may use.
func (f *Filter) allowedTools(listed []json.RawMessage) (left []json.RawMessage) {
	var tools []tool
	for _, text := range listed {
		if t, ok := readTool(text); ok {
			tools = append(tools, t)
		}
	}
	f.noteTools(tools)
	for _, t := range tools {
		if why, _ := f.knownRefusal(t.name); why == "" && f.refusalOf(t) == "" {
			left = append(left, t.text)
		}
	}
	return left
}

// replace gives a member another value.
func replace(all []member, name string, value json.RawMessage) {
	for i := range all {
		if all[i].name == name {
			all[i].value = value
		}
	}
}

// jsonArray is a JSON array.
func jsonArray(all []json.RawMessage) []byte {
	return append(append([]byte("["), bytes.Join(rawTexts(all), []byte(","))...), ']')
}

func rawTexts(all []json.RawMessage) [][]byte {
	texts := make([][]byte, len(all))
	for i := range all {
		texts[i] = all[i]
	}
	return texts
}

// resultFor returns the result of the answer to a request of the filter's own, if a
// text holds it.
func resultFor(text []byte, id string) (result []member, ok bool) {
	all := decodeObject(text)
	var answered string
	if json.Unmarshal(memberValue(all, "id"), &answered) != nil || answered != id {
		return nil, false
	}
	return decodeObject(memberValue(all, "result")), true
}
