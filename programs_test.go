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

// startsPrograms are the files that may start other programs. Each one decides on
// their standard input, because that of this program may contain a client's
// requests.
var startsPrograms = []string{
	"internal/subprocess/become_windows.go", // the command of exec, which replaces this program
	"internal/subprocess/subprocess.go",     // empty
	"ci/run.go",                             // the input of the provider's command
}

// TestProgramsAreStartedInFewPlaces: no command inherits standard input by mistake.
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
				t.Errorf("%s starts a program: use one of startsPrograms", name)
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
