package toolfilter

import (
	"bytes"
	"encoding/json"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// tool is a tool that a server lists.
type tool struct {
	name     string
	readOnly bool
}

// readTool reads a tool, and reports whether it has a usable name.
func readTool(text []byte) (t tool, ok bool) {
	if json.Unmarshal(mcpwire.Member(text, "name"), &t.name) != nil || t.name == "" || len(t.name) > maxName {
		return t, false
	}
	hints := mcpwire.Member(text, "annotations") // has no members if it is of another type
	t.readOnly = string(mcpwire.Member(hints, "readOnlyHint")) == "true"
	return t, true
}

// filterMessages removes the tools that the client may not use from a message of the
// server, or from a batch, and records the server's tools. It changes the text in place,
// because lists may be long.
func (f *Filter) filterMessages(text []byte) []byte {
	value := mcpwire.Prefix(text)
	var cuts []mcpwire.Span
	if len(value) > 0 && value[0] == '[' {
		for at := range mcpwire.Elements(value) {
			cuts = f.filterMessage(value, at, cuts)
		}
	} else {
		cuts = f.filterMessage(value, mcpwire.Span{End: len(value)}, cuts)
	}
	if len(cuts) == 0 {
		return text
	}
	return without(value, cuts)
}

// filterMessage adds what to cut out of one message.
func (f *Filter) filterMessage(text []byte, at mcpwire.Span, cuts []mcpwire.Span) []mcpwire.Span {
	for name, value := range mcpwire.Members(text[at.Start:at.End]) {
		value = value.In(at)
		switch name {
		case "method":
			var method string // some servers write it with \/
			if json.Unmarshal(text[value.Start:value.End], &method) == nil && method == toolsChanged {
				f.resetTools()
			}
		case "result":
			for name, tools := range mcpwire.Members(text[value.Start:value.End]) {
				if name == "tools" {
					cuts = f.filterList(text, tools.In(value), cuts)
				}
			}
		}
	}
	return cuts
}

// filterList records the tools of a list, and adds which of them to cut out.
func (f *Filter) filterList(text []byte, at mcpwire.Span, cuts []mcpwire.Span) []mcpwire.Span {
	list := text[at.Start:at.End]
	f.noteList(list)
	var run *mcpwire.Span // the elements to cut since the last one that is kept
	kept := -1            // where that one ends
	for element := range mcpwire.Elements(list) {
		switch allowed := f.allows(list[element.Start:element.End]); {
		case !allowed && run == nil:
			run = &element
		case !allowed:
			run.End = element.End
		default:
			if run != nil && kept < 0 {
				run.End = element.Start // with the comma after it
			}
			cuts = cutRun(cuts, run, kept, at)
			run, kept = nil, element.End
		}
	}
	return cutRun(cuts, run, kept, at)
}

// cutRun cuts a run of elements out of the list at a span. If another element ends at
// before, the comma after it is cut too.
func cutRun(cuts []mcpwire.Span, run *mcpwire.Span, before int, list mcpwire.Span) []mcpwire.Span {
	if run == nil {
		return cuts
	}
	if before >= 0 {
		run.Start = before
	}
	return append(cuts, run.In(list))
}

// noteList records the tools of a list. Whether a name is read-only is known only when all
// of them are recorded.
func (f *Filter) noteList(list []byte) {
	for element := range mcpwire.Elements(list) {
		if t, ok := readTool(list[element.Start:element.End]); ok {
			f.noteTool(t)
		}
	}
}

// allows reports whether the client may use a tool that a server lists.
func (f *Filter) allows(text []byte) bool {
	t, ok := readTool(text)
	if !ok {
		return false
	}
	why, _ := f.knownRefusal(t.name)
	return why == "" && f.refusalOf(t) == ""
}

// without removes parts of a text, in place.
func without(text []byte, cuts []mcpwire.Span) []byte {
	left := text[:cuts[0].Start]
	for i, cut := range cuts {
		end := len(text)
		if i+1 < len(cuts) {
			end = cuts[i+1].Start
		}
		left = append(left, text[cut.End:end]...)
	}
	return left
}

// resultFor returns the result in the response to a request of the filter's own, if the
// text is that.
func resultFor(text []byte, id string) (result json.RawMessage, ok bool) {
	value := mcpwire.Prefix(text)
	var answered string
	if json.Unmarshal(mcpwire.Member(value, "id"), &answered) != nil || answered != id {
		return nil, false
	}
	return mcpwire.Member(value, "result"), true
}

// jsonArray returns a JSON array.
func jsonArray(all []json.RawMessage) []byte {
	texts := make([][]byte, len(all))
	for i := range all {
		texts[i] = all[i]
	}
	return append(append([]byte("["), bytes.Join(texts, []byte(","))...), ']')
}
