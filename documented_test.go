package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// TestExportedNamesAreDocumented: each package and each exported name has a
// comment.
func TestExportedNamesAreDocumented(t *testing.T) {
	fset := token.NewFileSet()
	packages := map[string]bool{}
	for _, path := range sources(t) {
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Dir(path)
		packages[folder] = packages[folder] || f.Doc != nil
		if f.Name.Name == "main" {
			continue
		}
		for _, d := range f.Decls {
			for _, id := range undocumented(d) {
				t.Errorf("%s: %s has no comment", fset.Position(id.Pos()), id.Name)
			}
		}
	}
	for folder, documented := range packages {
		if !documented {
			t.Errorf("package %s has no comment", folder)
		}
	}
}

// undocumented returns the exported names of a declaration without a comment. The
// comment of a block describes all names in it.
func undocumented(d ast.Decl) (names []*ast.Ident) {
	add := func(id *ast.Ident, docs ...*ast.CommentGroup) {
		for _, doc := range docs {
			if doc != nil {
				return
			}
		}
		if id.IsExported() {
			names = append(names, id)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) && !isContract(d.Name.Name) {
			add(d.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				add(spec.Name, d.Doc, spec.Doc, spec.Comment)
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					add(id, d.Doc, spec.Doc, spec.Comment)
				}
			}
		}
	}
	return names
}
