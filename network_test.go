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

// unguarded are the places that may use a client or transport of net/http, with the
// reason. All other requests use oauth.Guard.
var unguarded = map[string]string{
	"oauth/guard.go":               "the guard itself",
	"oauth/oauthtest/oauthtest.go": "the client of the fake server, which makes no connections",
	"transport.go":                 "http.DefaultTransport, if the client that the caller gave to Config.HTTP has it",
	"internal/mcpprobe/probe.go":   "a client around the session's transport, whose guard refuses redirects",
	"internal/proxy/stdio.go":      "a client around the session's transport, which follows no redirect",
	"agent/client.go":              "a Unix socket alone",
}

// TestOneGuardedTransport: no request of the program bypasses the guard.
func TestOneGuardedTransport(t *testing.T) {
	found := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "e2e" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		path = filepath.ToSlash(path)
		names, err := clients(path)
		if len(names) > 0 {
			found[path] = true
			if unguarded[path] == "" {
				t.Errorf("%s uses %s: use oauth.Guard", path, strings.Join(names, ", "))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range unguarded {
		if !found[path] {
			t.Errorf("%s no longer needs an exception", path)
		}
	}
}

// clients returns the names of net/http in a file that access the network without
// the guard: ready-made clients, and values of the other types, but not types of
// fields.
func clients(path string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil, err
	}
	var found []string
	add := func(e ast.Expr, of ...string) {
		if s, ok := e.(*ast.SelectorExpr); ok {
			if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "http" && slices.Contains(of, s.Sel.Name) {
				found = append(found, "http."+s.Sel.Name)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			add(n, "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm")
		case *ast.CompositeLit:
			add(n.Type, "Client", "Transport")
		case *ast.ValueSpec:
			add(n.Type, "Client", "Transport")
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "new" && len(n.Args) == 1 {
				add(n.Args[0], "Client", "Transport")
			}
		}
		return true
	})
	return found, nil
}
