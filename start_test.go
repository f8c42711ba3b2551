package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestNothingIsCompiledAtStart: patterns and templates are compiled when they are
// first used. Every start of the program pays for those of package variables, and a
// shell's prompt may start it each time.
func TestNothingIsCompiledAtStart(t *testing.T) {
	for _, path := range sources(t) {
		if strings.HasPrefix(path, "examples/") || strings.Contains(path, "test/") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.GenDecl); !ok || d.Tok != token.VAR {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if _, later := n.(*ast.FuncLit); later {
					return false
				}
				if s, ok := n.(*ast.SelectorExpr); ok && compiles(s) {
					t.Errorf("%s: %s runs at every start: use sync.OnceValue", fset.Position(n.Pos()), s.Sel.Name)
				}
				return true
			})
		}
	}
}

// compiles reports whether a function compiles a pattern or a template.
func compiles(s *ast.SelectorExpr) bool {
	id, ok := s.X.(*ast.Ident)
	return ok && (id.Name == "regexp" || id.Name == "template") && strings.HasPrefix(s.Sel.Name, "Must")
}
