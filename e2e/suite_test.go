//go:build e2e

// Package e2e has the tests that run the real program against real servers. They have
// the build tag e2e, because they install and start other programs:
//
//	make e2e
package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// program is the path of mcp-login, built once for all tests.
var program string

// oidcModules is the folder with oidc-provider's node_modules.
var oidcModules string

// outputs has the output of the program that must not contain a token. issuedTokens has
// every token that a server issued. After all tests, findLeaks looks for the tokens in
// the outputs.
var outputs, issuedTokens struct {
	sync.Mutex
	texts []string
}

func TestMain(m *testing.M) { os.Exit(runSuite(m)) }

func runSuite(m *testing.M) int {
	if worker := os.Getenv(workerEnv); worker != "" {
		return runWorker(worker)
	}
	dir, err := os.MkdirTemp("", "mcp-login-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // best effort
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	if leaks := findLeaks(); leaks > 0 {
		fmt.Fprintf(os.Stderr, "e2e: %d texts of the program hold a token\n", leaks)
		return 1
	}
	return code
}

// prepare builds the program and installs the modules of oidc-provider.
func prepare(dir string) error {
	program = filepath.Join(dir, "mcp-login")
	if err := build(program, "..", "./cmd/mcp-login"); err != nil {
		return err
	}
	modules, err := provide("oidc-provider")
	if err != nil {
		return err
	}
	oidcModules = modules
	return nil
}

// build builds a package of a module, in the module's folder, so that the dependencies
// have that module's versions.
func build(program, module, pkg string) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-tags", "urfave_cli_no_docs,e2e", "-ldflags", "-s -w", "-o", program, pkg)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// provide installs or builds a tool or server, and returns its path.
func provide(name string) (string, error) {
	out, err := exec.Command("./provide", name).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("provide %s: %w\n%s", name, err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// recordOutput records a text that must not contain a token.
func recordOutput(text string) {
	outputs.Lock()
	defer outputs.Unlock()
	outputs.texts = append(outputs.texts, text)
}

// recordTokens records issued tokens.
func recordTokens(tokens ...string) {
	issuedTokens.Lock()
	defer issuedTokens.Unlock()
	issuedTokens.texts = append(issuedTokens.texts, tokens...)
}

// findLeaks counts the texts that contain a token, and prints the beginning of each.
func findLeaks() (leaks int) {
	for _, text := range outputs.texts {
		if token := tokenIn(text, issuedTokens.texts); token != "" {
			leaks++
			fmt.Fprintf(os.Stderr, "e2e: a token is in: %.400s\n", strings.ReplaceAll(text, token, "<<TOKEN>>"))
		}
	}
	return leaks
}

// tokenIn returns the first of tokens that text contains, or "".
func tokenIn(text string, tokens []string) string {
	for _, token := range tokens {
		if token != "" && strings.Contains(text, token) {
			return token
		}
	}
	return ""
}

// checkNoPlaintextToken fails if a file below dir contains a token in clear text.
func checkNoPlaintextToken(t *testing.T, dir string, tokens []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && tokenIn(string(data), tokens) != "" {
			t.Errorf("%s holds a token in clear text", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
