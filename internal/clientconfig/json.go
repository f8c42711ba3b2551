package clientconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// jsonSyntax is JSON with the comments and trailing commas that many clients
// allow.
type jsonSyntax struct{}

func (jsonSyntax) snippet(keys []string, name string, f fields) []byte {
	return prettyJSON(f.under(append(keys[:len(keys):len(keys)], name)...), "  ")
}

func prettyJSON(v any, indent string) []byte {
	text, err := printable.JSON(v, indent)
	if err != nil {
		panic(err) // strings, numbers and fields of them always encode
	}
	return text
}

func (jsonSyntax) decode(text []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	plain, err := hujson.Standardize(bytes.Clone(text))
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "hujson: "))
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.UseNumber()
	err = dec.Decode(&m)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other || err == nil && m == nil {
		return nil, errors.New("it is not a JSON object")
	}
	return m, err
}

func (jsonSyntax) set(text []byte, path []string, value any) ([]byte, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}\n")
	}
	doc, err := hujson.Parse(text)
	if err != nil {
		return nil, err
	}
	depth := 0 // of the object that gets a member
	for depth < len(path)-1 && doc.Find(pointer(path[:depth+1])) != nil {
		depth++
	}
	at := path[:depth+1]
	if rest := path[depth+1:]; len(rest) > 0 {
		value = fields{{rest[len(rest)-1], value}}.under(rest[:len(rest)-1]...)
	}
	object, ok := doc.Find(pointer(path[:depth])).Value.(*hujson.Object)
	if !ok {
		return nil, fmt.Errorf("%s is not an object", strings.Join(path[:depth], "."))
	}
	if err := once(&doc, path); err != nil {
		return nil, err
	}
	layout, members, comma := layoutOf(&doc), len(object.Members), hasComma(object)
	if err := doc.Patch(patch("add", at, layout.render(value, depth+1))); err != nil {
		return nil, err
	}
	if len(object.Members) > members {
		layout.arrange(object, comma, depth)
	}
	return doc.Pack(), nil
}

func (jsonSyntax) remove(text []byte, path []string) ([]byte, error) {
	doc, err := hujson.Parse(text)
	if err != nil {
		return nil, err
	}
	depth := len(path) - 1
	object, ok := doc.Find(pointer(path[:depth])).Value.(*hujson.Object)
	if !ok {
		return nil, errByHand
	}
	if err := once(&doc, path); err != nil {
		return nil, err
	}
	layout, comma := layoutOf(&doc), hasComma(object)
	if err := doc.Patch(patch("remove", path, nil)); err != nil {
		return nil, err
	}
	layout.close(object, comma, depth)
	return doc.Pack(), nil
}

// once refuses a file that has a key at path twice: programs differ in which one they
// read.
func once(doc *hujson.Value, path []string) error {
	for depth, key := range path {
		at := doc.Find(pointer(path[:depth]))
		if at == nil {
			return nil
		}
		n := 0
		if object, ok := at.Value.(*hujson.Object); ok {
			for _, m := range object.Members {
				if name, ok := m.Name.Value.(hujson.Literal); ok && name.String() == key {
					n++
				}
			}
		}
		if n > 1 {
			return fmt.Errorf("%s is in it more than once; remove all but one", strings.Join(path[:depth+1], "."))
		}
	}
	return nil
}

// patch returns a JSON Patch of one operation (RFC 6902).
func patch(op string, path []string, value []byte) []byte {
	where, _ := json.Marshal(pointer(path)) // a string
	if value == nil {
		return fmt.Appendf(nil, `[{"op":%q,"path":%s}]`, op, where)
	}
	return fmt.Appendf(nil, `[{"op":%q,"path":%s,"value":%s}]`, op, where, value)
}

// pointer is a JSON Pointer (RFC 6901).
func pointer(path []string) string {
	var b strings.Builder
	for _, key := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return b.String()
}

// layout is the indentation of a file; the zero value has everything on one line.
type layout struct{ newline, unit string }

func layoutOf(doc *hujson.Value) layout {
	object, ok := doc.Value.(*hujson.Object)
	if !ok || len(object.Members) == 0 {
		return layout{"\n", "  "}
	}
	extra := string(object.Members[0].Name.BeforeExtra)
	i := strings.LastIndex(extra, "\n")
	if i < 0 {
		return layout{}
	}
	if strings.Trim(extra[i+1:], " \t") != "" || extra[i+1:] == "" { // a comment before it
		return layout{"\n", "  "}
	}
	return layout{"\n", extra[i+1:]}
}

// render writes a value that is a member of an object at this depth.
func (l layout) render(value any, depth int) []byte {
	if l.newline == "" {
		return bytes.TrimSpace(prettyJSON(value, ""))
	}
	var b bytes.Buffer
	for line := range bytes.Lines(prettyJSON(value, " ")) {
		text := bytes.TrimLeft(line, " ")
		if b.Len() > 0 {
			b.WriteString(l.newline + strings.Repeat(l.unit, depth+len(line)-len(text)))
		}
		b.Write(bytes.TrimSpace(text))
	}
	return b.Bytes()
}

// arrange gives a new member of an object, its last, a separate line.
func (l layout) arrange(object *hujson.Object, comma bool, depth int) {
	if l.newline == "" {
		return
	}
	m := &object.Members[len(object.Members)-1]
	before := bytes.TrimRight(m.Name.BeforeExtra, " \t")
	if !bytes.HasSuffix(before, []byte("\n")) {
		before = append(before, l.newline...)
	}
	m.Name.BeforeExtra = append(before, strings.Repeat(l.unit, depth+1)...)
	m.Value.BeforeExtra = hujson.Extra(" ")
	l.close(object, comma, depth)
}

// close puts the end of an object on a separate line, and its last member the
// comma that the last one had.
func (l layout) close(object *hujson.Object, comma bool, depth int) {
	if l.newline == "" {
		return
	}
	if n := len(object.Members); n > 0 && comma && object.Members[n-1].Value.AfterExtra == nil {
		object.Members[n-1].Value.AfterExtra = hujson.Extra{} // not nil: a comma follows
	}
	after := bytes.TrimRight(object.AfterExtra, " \t")
	switch {
	case len(object.Members) == 0 && len(bytes.TrimSpace(after)) == 0:
		object.AfterExtra = nil
		return
	case !bytes.HasSuffix(after, []byte("\n")):
		after = append(after, l.newline...)
	}
	object.AfterExtra = append(after, strings.Repeat(l.unit, depth)...)
}

// hasComma reports whether a comma follows the last member of an object.
func hasComma(object *hujson.Object) bool {
	n := len(object.Members)
	return n > 0 && object.Members[n-1].Value.AfterExtra != nil
}
