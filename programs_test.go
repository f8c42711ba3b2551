package mcplogin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// startsPrograms are the files that may start other programs. Each one decides
// what standard input those get: that of this program may be a client's requests.
var startsPrograms = []string{
	"internal/subprocess/become_windows.go", // the child of exec, which takes this program's place
	"internal/subprocess/subprocess.go",     // empty
	"ci/run.go",                             // what the provider's tool is given
}

// TestProgramsAreStartedInFewPlaces: no command inherits standard input because
// somebody forgot about it.
func TestProgramsAreStartedInFewPlaces(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(path)
		if d.IsDir() && (name == "e2e" || name == "examples" || name == ".git") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || slices.Contains(startsPrograms, name) {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && startsProgram(s) {
				t.Errorf("%s starts a program by itself", name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func startsProgram(s *ast.SelectorExpr) bool {
	x, ok := s.X.(*ast.Ident)
	return ok && slices.Contains([]string{"exec.Command", "exec.CommandContext", "os.StartProcess", "syscall.ForkExec", "syscall.StartProcess"}, x.Name+"."+s.Sel.Name)
}
