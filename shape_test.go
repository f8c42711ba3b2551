package mcplogin_test

//lint:file-ignore SA1019 identifiers are compared by name and scope, for which the old resolution is enough

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFile   = 400 // lines of a file that is not a test
	maxFunc   = 60  // lines of a function
	maxMedian = 12  // the median number of lines of a function

	commands    = "cmd/mcp-login"
	maxCommands = 3850 // lines of the commands, which only parse, call a package and print
)

// maxMethods are structs to which methods are easily added, and how many they may
// have: code that one command needs is a function in its file or in a package in
// internal/.
var maxMethods = map[string]int{"env": 9, "call": 15}

// tableFunctions are functions that consist of one table.
var tableFunctions = map[string]string{
	"internal/remedy/remedy.go table": "the table from errors to exit codes and hints",
	"envexport/format.go syntax":      "the table of the formats",
}

// TestShape limits the size of files and functions, and forbids mutable
// package-level state.
func TestShape(t *testing.T) {
	var lengths []int
	packages := map[string][]*ast.File{}
	fset := token.NewFileSet()
	for _, path := range sources(t) {
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], f)
		if n := fset.Position(f.End()).Line; n > maxFile {
			t.Errorf("%s has %d lines, more than %d", path, n, maxFile)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
			lengths = append(lengths, n)
			if name := path + " " + fn.Name.Name; n > maxFunc && tableFunctions[name] == "" {
				t.Errorf("%s has %d lines, more than %d", name, n, maxFunc)
			}
			if n <= maxFunc && tableFunctions[path+" "+fn.Name.Name] != "" {
				t.Errorf("%s %s needs no exception", path, fn.Name.Name)
			}
		}
	}
	slices.Sort(lengths)
	if median := lengths[len(lengths)/2]; median > maxMedian {
		t.Errorf("half of the functions have more than %d lines, want at most %d", median, maxMedian)
	}
	for _, files := range packages {
		for _, at := range assigned(files) {
			t.Errorf("%s: a package-level variable is assigned: pass the value instead", fset.Position(at))
		}
	}
}

// TestCommandsAreThin: commands parse, call a package and print. This limits their
// size, and the methods of their context.
func TestCommandsAreThin(t *testing.T) {
	fset, lines, methods := token.NewFileSet(), 0, map[string]int{}
	for _, path := range sources(t) {
		if filepath.ToSlash(filepath.Dir(path)) != commands {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		lines += fset.Position(f.FileEnd).Line
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
				methods[strings.TrimPrefix(types.ExprString(fn.Recv.List[0].Type), "*")]++
			}
		}
	}
	if lines > maxCommands || lines < maxCommands/2 {
		t.Errorf("%s has %d lines, want at most %d: move code that does not parse, call or print to a package in internal/", commands, lines, maxCommands)
	}
	for name, limit := range maxMethods {
		if methods[name] > limit || methods[name] == 0 {
			t.Errorf("%s.%s has %d methods, want at most %d", commands, name, methods[name], limit)
		}
	}
}

// sources returns the files of the programs and the library.
func sources(t *testing.T) []string {
	t.Helper()
	return goFiles(t, func(path string) bool { return !strings.HasSuffix(path, "_test.go") })
}

// tests returns the files of the tests, except those in e2e.
func tests(t *testing.T) []string {
	t.Helper()
	return goFiles(t, func(path string) bool { return strings.HasSuffix(path, "_test.go") })
}

// goFiles returns the Go files of the module that match.
func goFiles(t *testing.T, match func(path string) bool) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "e2e" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && match(path) {
			paths = append(paths, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	return paths
}

// assigned returns the positions where functions assign to package-level variables.
func assigned(files []*ast.File) (at []token.Pos) {
	variables := map[string]*ast.Object{}
	for _, f := range files {
		for name, object := range f.Scope.Objects {
			if object.Kind == ast.Var {
				variables[name] = object
			}
		}
	}
	check := func(x ast.Expr) {
		id, ok := ast.Unparen(x).(*ast.Ident)
		if !ok {
			return
		}
		// An identifier in another file of the package is not resolved.
		if v := variables[id.Name]; v != nil && (id.Obj == nil || id.Obj == v) {
			at = append(at, id.Pos())
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, x := range n.Lhs {
					check(x)
				}
			case *ast.IncDecStmt:
				check(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					check(n.X)
				}
			}
			return true
		})
	}
	return at
}
