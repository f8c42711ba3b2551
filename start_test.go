package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestNothingIsCompiledAtStart: patterns, templates and scripts are compiled when they
// are first used. Those in package variables slow down every start of the program, and
// a shell's prompt may start it each time.
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

// compiles reports whether a function compiles a pattern, a template or a script.
func compiles(s *ast.SelectorExpr) bool {
	id, ok := s.X.(*ast.Ident)
	return ok && ((id.Name == "regexp" || id.Name == "template") && strings.HasPrefix(s.Sel.Name, "Must") || s.Sel.Name == "NewScript")
}

// TestFrameworkDoesNotRun: the commands are run by internal/commandline. The
// framework's App would parse the command line again, and its help uses
// text/template, which makes the program 3 MB larger.
func TestFrameworkDoesNotRun(t *testing.T) {
	for _, path := range sources(t) {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if id, ok := s.X.(*ast.Ident); ok && id.Name == "cli" && (s.Sel.Name == "App" || s.Sel.Name == "NewApp") {
					t.Errorf("%s uses cli.App", path)
				}
			}
			return true
		})
	}
}
