package clientconfig

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlSyntax is YAML. A change keeps comments and the order of keys, but
// formats the text again.
type yamlSyntax struct{}

func (yamlSyntax) snippet(keys []string, name string, f fields) []byte {
	var b bytes.Buffer
	path := append(keys[:len(keys):len(keys)], name)
	for depth, key := range path {
		fmt.Fprintf(&b, "%s%s:\n", strings.Repeat("  ", depth), key)
	}
	for _, field := range f {
		fmt.Fprintf(&b, "%s%s: %s\n", strings.Repeat("  ", len(path)), field.key, inline(field.value, ": "))
	}
	return b.Bytes()
}

func (yamlSyntax) decode(text []byte) (map[string]any, error) {
	var m map[string]any
	if err := yaml.Unmarshal(text, &m); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return m, nil
}

func (s yamlSyntax) set(text []byte, path []string, value any) ([]byte, error) {
	doc, root, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	last := len(path) - 1
	object := root
	for _, key := range path[:last] {
		if object, err = childYAML(object, key); err != nil {
			return nil, err
		}
	}
	node, err := nodeYAML(value)
	if err != nil {
		return nil, err
	}
	setYAML(object, path[last], node)
	return encodeYAML(doc)
}

func (yamlSyntax) remove(text []byte, path []string) ([]byte, error) {
	doc, object, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	last := len(path) - 1
	for _, key := range path[:last] {
		if object, err = childYAML(object, key); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(object.Content); i += 2 {
		if object.Content[i].Value == path[last] {
			object.Content = append(object.Content[:i:i], object.Content[i+2:]...)
			return encodeYAML(doc)
		}
	}
	return nil, errByHand
}

// parseYAML returns a document and the object in it.
func parseYAML(text []byte) (doc, root *yaml.Node, err error) {
	doc = &yaml.Node{}
	if err := yaml.Unmarshal(text, doc); err != nil {
		return nil, nil, err
	}
	if doc.Kind == 0 {
		doc.Kind, doc.Content = yaml.DocumentNode, []*yaml.Node{{Kind: yaml.MappingNode}}
	}
	root = doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, nil, errors.New("it is not a mapping")
	}
	return doc, root, nil
}

// childYAML returns an object in an object. It makes it if it is missing or null.
func childYAML(object *yaml.Node, key string) (*yaml.Node, error) {
	for i := 0; i < len(object.Content); i += 2 {
		if object.Content[i].Value != key {
			continue
		}
		child := object.Content[i+1]
		if child.Kind == yaml.ScalarNode && child.Tag == "!!null" {
			child.Kind, child.Tag, child.Value = yaml.MappingNode, "", ""
		}
		if child.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("%s is not a mapping", key)
		}
		if len(child.Content) == 0 {
			child.Style = 0 // {} becomes lines
		}
		return child, nil
	}
	child := &yaml.Node{Kind: yaml.MappingNode}
	object.Content = append(object.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, child)
	return child, nil
}

func setYAML(object *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i < len(object.Content); i += 2 {
		if object.Content[i].Value == key {
			object.Content[i+1] = value
			return
		}
	}
	object.Content = append(object.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// nodeYAML returns the node of a value: an object on separate lines, all else on one.
func nodeYAML(value any) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(inline(value, ": ")), &doc); err != nil {
		return nil, err
	}
	node := doc.Content[0]
	if f, ok := value.(fields); ok && len(f) > 0 {
		node.Style = 0
	}
	return node, nil
}

func encodeYAML(doc *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}
