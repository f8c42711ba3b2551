package mcplogin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// credentialVersion is the newest record format. Older ones are read; newer
// ones are an error and never overwritten.
const credentialVersion = 1

// ErrNewerRecord means that a newer mcp-login wrote the record. It is never
// overwritten.
var ErrNewerRecord = errors.New("record was written by a newer version of mcp-login")

// ParseCredential reads a stored record of any known version and validates it
// like a server's response: anyone with write access to the store can change
// it. It returns ErrNewerRecord for an unknown newer version, and a
// *RecordError for a value that this package never writes.
func ParseCredential(data []byte) (Credential, error) {
	c, err := decodeCredential(data)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return Credential{}, err
	}
	return c, nil
}

// decodeCredential decodes a record. Nearly all have the fields of this version and no
// others, and are decoded once.
func decodeCredential(data []byte) (Credential, error) {
	var c Credential
	if decodeStrictly(data, &c) == nil && c.Version == credentialVersion {
		return c, nil
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Credential{}, fmt.Errorf("%w: it is not a credential record", secrets.ErrUndecryptable)
	}
	if head.Version > credentialVersion {
		return Credential{}, fmt.Errorf("%w (format %d, this version supports %d)", ErrNewerRecord, head.Version, credentialVersion)
	}
	c = Credential{}
	if err := json.Unmarshal(data, &c); err != nil || head.Version < 1 {
		return Credential{}, fmt.Errorf("%w: it is not a credential record", secrets.ErrUndecryptable)
	}
	c.unknown = unknownFields(data)
	return c, nil
}

// knownFields is a Credential without methods, so that json uses its fields: those
// that this version writes.
type knownFields Credential

// MarshalJSON returns the record, including fields of a newer version that were
// read with it.
func (c Credential) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(knownFields(c))
	if err != nil || len(c.unknown) == 0 {
		return data, err
	}
	return c.unknown.addTo(data, "")
}

// write stores c if the record is still at version prev.
func (s *Session) write(ctx context.Context, c Credential, prev secrets.Version) (secrets.Version, error) {
	c.Version = credentialVersion
	data, err := json.Marshal(c)
	if err != nil {
		return prev, fmt.Errorf("write credential %q: %w", c.Profile, err)
	}
	v, err := s.store.Put(ctx, c.Profile, data, prev)
	if err != nil {
		return prev, fmt.Errorf("write credential %q: %w", c.Profile, err)
	}
	return v, nil
}

// unknown holds the fields of a record that this version does not know, by the
// path of their object. A newer version that shares the store wrote them, so
// they survive a rewrite. A login writes a new record without them: they may
// describe the tokens that it replaces.
type unknown map[string]map[string]json.RawMessage

// without returns a copy that lacks one object's fields.
func (u unknown) without(path string) unknown {
	rest := maps.Clone(u)
	delete(rest, path)
	return rest
}

// objects lists the JSON objects of a record whose fields this version defines,
// by path. Parents precede children.
func objects() []struct {
	path   string
	fields any
} {
	return []struct {
		path   string
		fields any
	}{
		{"", new(knownFields)},
		{"authorization_server", new(oauth.Server)},
		{"client", new(oauth.App)},
		{"login", new(LoginOptions)},
		{"login.inputs", new(flows.Inputs)},
		{"login.accept_issuer", new(IssuerPair)},
		{"login.endpoints", new(Endpoints)},
		{"token", new(oauth.Token)},
	}
}

// unknownFields returns the fields of a record that this version does not
// define. The record was parsed before, so its JSON types are right.
func unknownFields(data []byte) unknown {
	u := unknown{}
	for _, o := range objects() {
		for name, value := range objectAt(data, o.path) {
			if isField(o.fields, name) {
				continue
			}
			if u[o.path] == nil {
				u[o.path] = map[string]json.RawMessage{}
			}
			u[o.path][name] = value
		}
	}
	return u
}

// decodeStrictly decodes the only value of data. A field that v does not have is an
// error.
func decodeStrictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// isField reports whether v has a JSON field of this name. It decodes null,
// which fits every type.
func isField(v any, name string) bool {
	probe, err := json.Marshal(map[string]any{name: nil})
	return err == nil && decodeStrictly(probe, v) == nil
}

// objectAt returns the fields of the object at a path; nil if it does not
// exist.
func objectAt(data []byte, path string) map[string]json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return nil
	}
	if path == "" {
		return object
	}
	first, rest, _ := strings.Cut(path, ".")
	return objectAt(object[first], rest)
}

// addTo returns the object data with the unknown fields of its path added,
// recursively.
func (u unknown) addTo(data []byte, path string) ([]byte, error) {
	object := map[string]json.RawMessage{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &object); err != nil {
			return nil, err
		}
	}
	maps.Copy(object, u[path])
	for _, o := range objects() {
		name, below := strings.CutPrefix(o.path, path)
		if name = strings.TrimPrefix(name, "."); !below || name == "" || strings.Contains(name, ".") {
			continue // not a direct child
		}
		inner, err := u.addTo(object[name], o.path)
		if err != nil {
			return nil, err
		}
		if len(object[name]) > 0 || string(inner) != "{}" {
			object[name] = inner
		}
	}
	return json.Marshal(object)
}
