package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

// maxRepairs limits the members of one document whose type is converted.
const maxRepairs = 16

// unmarshal reads a JSON object into v. Servers send numbers for strings (a
// client_id, laravel/mcp#85), a string for a list and strings for booleans: it
// converts such members, and ignores those that it cannot convert.
func unmarshal(body []byte, v any) error {
	for range maxRepairs {
		err := json.Unmarshal(body, v)
		wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
		if !ok {
			return err
		}
		repaired, ok := repair(body, wrong)
		if !ok {
			return err
		}
		body = repaired
	}
	return json.Unmarshal(body, v)
}

// repair returns the document with the mistyped member converted or removed.
func repair(body []byte, wrong *json.UnmarshalTypeError) ([]byte, bool) {
	var doc map[string]json.RawMessage
	name := memberOf(wrong)
	if json.Unmarshal(body, &doc) != nil || doc[name] == nil {
		return nil, false
	}
	if fixed := converted(doc[name], wrong.Type.Kind()); fixed != nil && !bytes.Equal(fixed, doc[name]) {
		doc[name] = fixed
	} else {
		delete(doc, name)
	}
	body, err := json.Marshal(doc)
	return body, err == nil
}

// memberOf returns the JSON member that caused the error. The error's Field
// begins with the Go names of embedded structs.
func memberOf(wrong *json.UnmarshalTypeError) string {
	return wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:]
}

// converted returns the value converted to another kind; nil if that is
// impossible.
func converted(raw json.RawMessage, kind reflect.Kind) json.RawMessage {
	var list []json.RawMessage
	isList := json.Unmarshal(raw, &list) == nil && list != nil
	switch {
	case kind == reflect.String && isList: // an element has another type
		for i := range list {
			if list[i][0] != '"' {
				list[i] = quoted(list[i])
			}
		}
		fixed, err := json.Marshal(list)
		if err != nil {
			return nil
		}
		return fixed
	case kind == reflect.String:
		return quoted(raw)
	case kind == reflect.Slice && raw[0] == '"':
		return append(append(json.RawMessage("["), raw...), ']')
	case kind == reflect.Bool && (string(raw) == `"true"` || string(raw) == `"false"`):
		return json.RawMessage(strings.Trim(string(raw), `"`))
	}
	return nil
}

// quoted returns a number or a boolean as a string, and anything else as "".
func quoted(raw json.RawMessage) json.RawMessage {
	if raw[0] == '{' || raw[0] == '[' || string(raw) == "null" {
		return json.RawMessage(`""`)
	}
	return append(append(json.RawMessage(`"`), raw...), '"')
}
