package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// contracts are methods that the standard library or a dependency calls through an
// interface.
var contracts = []string{"Error", "Is", "Unwrap", "String", "GoString", "LogValue", "MarshalJSON", "IsZero", "RoundTrip", "ServeHTTP", "Read", "Write", "Close"}

func isContract(method string) bool { return slices.Contains(contracts, method) }

// TestExportedNamesHaveCallers: every exported name of the root package is used by
// a command, an internal package or an Example.
func TestExportedNamesHaveCallers(t *testing.T) {
	called := map[string]bool{}
	for _, folder := range []string{"cmd", "internal", "agent", "examples"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				recordCalls(called, parsed(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	own, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	recordExamples(called, parsed(t, "agent/example_test.go"))
	exported := map[string]bool{}
	for _, path := range own {
		f := parsed(t, path)
		if strings.HasSuffix(path, "_test.go") {
			recordExamples(called, f)
			continue
		}
		recordExported(exported, called, f)
	}
	if len(exported) < 50 {
		t.Errorf("only %d names are exported: %q", len(exported), slices.Sorted(maps.Keys(exported)))
	}
	for name := range exported {
		if _, method, ok := strings.Cut(name, "."); !called[name] && !(ok && (called[method] || isContract(method))) {
			t.Errorf("%s is exported, but nothing outside the package uses it: unexport it, or show its use in an Example", name)
		}
	}
}

func parsed(t *testing.T, path string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// recordCalls records the names of other packages and the fields and methods that a
// part of a file uses.
func recordCalls(called map[string]bool, part ast.Node) {
	ast.Inspect(part, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			called[s.Sel.Name] = true
		}
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				called[id.Name] = true
			}
		}
		return true
	})
}

// recordExamples records what the Examples of a file use.
func recordExamples(called map[string]bool, f *ast.File) {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Example") {
			recordCalls(called, fn)
		}
	}
}

// recordExported records the exported names of a file, and methods and fields with
// their type. The types of exported parts count as used, because a caller must be
// able to name them.
func recordExported(exported, called map[string]bool, f *ast.File) {
	typesOf := func(part ast.Node) {
		ast.Inspect(part, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				called[id.Name] = called[id.Name] || id.IsExported()
			}
			return true
		})
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if !d.Name.IsExported() {
				continue
			}
			typesOf(d.Type)
			if d.Recv == nil {
				exported[d.Name.Name] = true
			} else if on := receiver(d.Recv.List[0].Type); ast.IsExported(on) {
				exported[on+"."+d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				recordSpec(exported, typesOf, spec)
			}
			markConstants(called, d)
		}
	}
}

func recordSpec(exported map[string]bool, typesOf func(ast.Node), spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			if id.IsExported() {
				exported[id.Name] = true
			}
		}
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return
		}
		exported[spec.Name.Name] = true
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, field := range structure.Fields.List {
			for _, id := range field.Names {
				if id.IsExported() {
					typesOf(field.Type)
				}
				if id.IsExported() && field.Tag == nil { // a tag: part of a stored or printed document
					exported[spec.Name.Name+"."+id.Name] = true
				}
			}
		}
	}
}

// markConstants marks all constants of a block as used if one of them is: they are the
// values of one type.
func markConstants(called map[string]bool, d *ast.GenDecl) {
	var names []string
	any := false
	for _, spec := range d.Specs {
		if spec, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST {
			names = append(names, spec.Names[0].Name)
			any = any || called[spec.Names[0].Name]
		}
	}
	for _, name := range names {
		called[name] = called[name] || any
	}
}

func receiver(x ast.Expr) string {
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	id, _ := x.(*ast.Ident)
	return id.Name
}
