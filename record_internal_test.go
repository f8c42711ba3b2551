package mcplogin

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// TestEveryObjectOfARecordIsKnown: an object that is missing in objects would lose
// its unknown fields.
func TestEveryObjectOfARecordIsKnown(t *testing.T) {
	var listed []string
	for _, o := range objects() {
		listed = append(listed, o.path)
	}
	opaque := []reflect.Type{reflect.TypeFor[time.Time](), reflect.TypeFor[oauth.Key]()} // written as a whole
	var walk func(path string, of reflect.Type)
	walk = func(path string, of reflect.Type) {
		if !slices.Contains(listed, path) {
			t.Errorf("objects() lacks %q", path)
		}
		for f := range of.Fields() {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.IsExported() && inner.Kind() == reflect.Struct && !slices.Contains(opaque, inner) {
				walk(strings.TrimPrefix(path+"."+name, "."), inner)
			}
		}
	}
	walk("", reflect.TypeFor[Credential]())
}
