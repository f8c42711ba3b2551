package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// errorTable are the errors with which a command may fail, by package and name.
func errorTable() map[string]error {
	network := &url.Error{Op: "Post", URL: "https://mcp.test/mcp", Err: syscall.ECONNREFUSED}
	return map[string]error{
		"oauth.Error":              &oauth.Error{Code: "odd", Status: 400},
		"oauth.RedirectError":      &oauth.RedirectError{To: "https://other.test/mcp"},
		"oauth.TooLongError":       &oauth.TooLongError{},
		"oauth.URLError":           &oauth.URLError{},
		"oauth.NotServerError":     &oauth.NotServerError{Try: "https://mcp.test/mcp/"},
		"oauth.AddressError":       &oauth.AddressError{},
		"oauth.NoMetadataError":    &oauth.NoMetadataError{},
		"oauth.ResourceError":      &oauth.ResourceError{},
		"oauth.IssuerError":        &oauth.IssuerError{Want: "https://a.test", Got: "https://b.test"},
		"oauth.UnpublishedError":   &oauth.UnpublishedError{Issuer: "https://a.test", Err: &oauth.Error{Status: 404}},
		"oauth.ProxyError":         &oauth.ProxyError{Status: 407},
		"oauth.ErrUnsupported":     oauth.ErrUnsupported,
		"oauth.ErrNoAuthorization": oauth.ErrNoAuthorization,
		"oauth.ErrIssuer":          oauth.ErrIssuer,
		"oauth.ErrAnswer":          oauth.ErrAnswer,
		"flows.ErrUnsupported":     flows.ErrUnsupported,
		"flows.ErrDenied":          flows.ErrDenied,
		"flows.ErrExpired":         flows.ErrExpired,
		"flows.ErrClient":          flows.ErrClient,
		"authcode.ErrRedirect":     authcode.ErrRedirect,
		"authcode.ErrNoPKCE":       fmt.Errorf("%w: %w", authcode.ErrNoPKCE, flows.ErrUnsupported),
		"authcode.PortError":       &authcode.PortError{Port: 80, Err: syscall.EACCES},
		"authcode.RegisteredError": &authcode.RegisteredError{URIs: []string{"https://vendor.test/cb"}},
		"authcode.MissingIssError": &authcode.MissingIssError{Issuer: "https://a.test"},
		"authcode.ParamError":      &authcode.ParamError{},

		"mcplogin.ErrBound":               mcplogin.ErrBound,
		"mcplogin.ErrRegistration":        mcplogin.ErrRegistration,
		"mcplogin.ErrNeedsDocument":       fmt.Errorf("%w: %w", mcplogin.ErrRegistration, mcplogin.ErrNeedsDocument),
		"mcplogin.ErrNewerRecord":         mcplogin.ErrNewerRecord,
		"mcplogin.LoginRequiredError":     &mcplogin.LoginRequiredError{Profile: "a"},
		"mcplogin.ServerChangedError":     &mcplogin.ServerChangedError{Profile: "a", Given: "https://mcp.test"},
		"mcplogin.UnreadableError":        &mcplogin.UnreadableError{Profile: "a", Err: secrets.ErrUndecryptable},
		"mcplogin.IssuerChangedError":     &mcplogin.IssuerChangedError{Profile: "a"},
		"mcplogin.UnnamedIssuerError":     &mcplogin.UnnamedIssuerError{Profile: "a", Issuer: "https://a.test"},
		"mcplogin.RecordError":            &mcplogin.RecordError{Profile: "a"},
		"mcplogin.InsufficientScopeError": &mcplogin.InsufficientScopeError{Profile: "a", Scopes: []string{"x"}},
		"mcplogin.LogoutError":            &mcplogin.LogoutError{Delete: secrets.ErrUnavailable},

		"secrets.ErrName":          secrets.ErrName,
		"secrets.ErrUnavailable":   secrets.ErrUnavailable,
		"secrets.ErrTemporary":     secrets.ErrTemporary,
		"secrets.ErrUndecryptable": secrets.ErrUndecryptable,
		"secrets.ErrPassphrase":    secrets.ErrPassphrase,
		"secrets.ErrNewer":         fmt.Errorf("%w: %w", secrets.ErrUnavailable, secrets.ErrNewer),
		"secrets.LockedError":      fmt.Errorf("%w: %w", secrets.ErrUnavailable, &secrets.LockedError{}),
		"file.LinkError":           &file.LinkError{Path: "/nowhere"},
		"file.OwnerError":          &file.OwnerError{Path: "/nowhere"},
		"file.KeeperError":         &file.KeeperError{Dir: "/nowhere", Kept: "key-file", Asked: "passphrase"},
		"stores.NoKeyringError":    &stores.NoKeyringError{Err: keyring.ErrUnreachable},
		"vault.ErrSealed":          vault.ErrSealed,
		"vault.ErrDenied":          vault.ErrDenied,
		"vault.ErrNoToken":         vault.ErrNoToken,
		"vault.ErrUnreachable":     vault.ErrUnreachable,
		"keyring.ErrUnreachable":   keyring.ErrUnreachable,
		"vault.VersionError":       &vault.VersionError{Mount: "kv"},
		"agent.ErrDenied":          agent.ErrDenied,
		"agent.ErrNotRunning":      fmt.Errorf("%w: %w", secrets.ErrUnavailable, agent.ErrNotRunning),
		"envexport.Error":          &envexport.Error{Format: envexport.Cmd, Value: true},

		"mcpprobe.ProtocolError":    &mcpprobe.ProtocolError{Err: errors.New("400")},
		"mcpprobe.UnknownToolError": &mcpprobe.UnknownToolError{Err: errors.New("-32602")},
		"stores.OptionError":        &stores.OptionError{Err: errors.New("x")},
		"stores.AddressError":       &stores.AddressError{Err: errors.New("x")},
		"stores.ErrNoStore":         stores.ErrNoStore,
		"stores.ErrNothingToUnlock": fmt.Errorf("%w: %w", secrets.ErrUnavailable, stores.ErrNothingToUnlock),
		"paths.ErrNoHome":           paths.ErrNoHome,
		"paths.SudoError":           &paths.SudoError{},
		"secretref.SyntaxError":     &secretref.SyntaxError{},
		"secretref.PassphraseError": &secretref.PassphraseError{Err: errors.New("x")},
		"settings.Error":            &settings.Error{},

		"url.Error, of a network": network,
		"x509, unknown authority": &url.Error{Op: "Post", URL: "https://mcp.test", Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}},
		"x509, expired":           &url.Error{Op: "Post", URL: "https://mcp.test", Err: &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}},
	}
}

// otherErrors describes how each other error reaches the user, if it does.
func otherErrors() map[string]string {
	return map[string]string{
		"oauth.ErrNoMetadata":       "is a NoMetadataError",
		"oauth.ErrResource":         "is a ResourceError",
		"mcplogin.ErrLoginRequired": "is a LoginRequiredError",
		"mcplogin.ErrJustRefreshed": "answers a refresh that nobody needs",
		"mcplogin.ErrBrokered":      "for programs: the command does not ask an agent to write",
		"mcplogin.ErrExists":        "import handles it, and names --force",
		"secrets.ErrNotFound":       "is a LoginRequiredError",
		"secrets.ErrConflict":       "is tried again",
		"file.ErrUnsupported":       "unlock says what to do in its place",
		"agent.Error":               "is what the agent's own error was",
		"stores.ErrSame":            "store move says it as a mistake of the command line",
	}
}

// TestErrorsHaveANextCommand: every error has a hint with a command or a flag.
// Add a new error to one of the tables.
func TestErrorsHaveANextCommand(t *testing.T) {
	known := errorTable()
	for name, err := range known {
		e, _, _ := testEnv(t)
		e.Line = treeOf(allCommands(e)).Interpret([]string{"login", "a", "https://mcp.test/mcp"})
		code, hint := e.Remedy().For(err)
		if !strings.Contains(hint, "mcp-login ") && !strings.Contains(hint, "--") && !strings.Contains(hint, "_PROXY") && !strings.Contains(hint, "vault ") && !strings.HasPrefix(hint, "its target does not exist: rm ") {
			t.Errorf("%s has exit code %d and no next command: %q", name, code, hint)
		}
	}
	others := otherErrors()
	for _, folder := range []string{
		".", "oauth", "flows", "flows/authcode", "flows/device", "secrets", "secrets/file", "secrets/keyring", "secrets/vault", "agent", "envexport",
		"internal/mcpprobe", "internal/stores", "internal/paths", "internal/settings",
	} {
		for _, name := range exportedErrors(t, filepath.Join("../..", folder)) {
			if known[name] == nil && others[name] == "" {
				t.Errorf("%s is in neither table", name)
			}
		}
	}
}

// exportedErrors returns the errors that a package exports: variables named ErrX,
// and types with an Error method.
func exportedErrors(t *testing.T, folder string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no source in %s (%v)", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, errorsOf(parsed)...)
	}
	return names
}

// errorsOf returns the exported errors of one file.
func errorsOf(f *ast.File) (names []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for _, name := range n.Names {
				if strings.HasPrefix(name.Name, "Err") {
					names = append(names, f.Name.Name+"."+name.Name)
				}
			}
		case *ast.FuncDecl:
			if name := receiver(n); n.Name.Name == "Error" && ast.IsExported(name) {
				names = append(names, f.Name.Name+"."+name)
			}
			return false
		}
		return true
	})
	return names
}

// receiver is the name of the type of a method; "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	name, _ := of.(*ast.Ident)
	return name.Name
}
