package mcplogin_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mcp-login/mcp-login"

// layers are the packages of this module that a package may import: only lower
// ones. An entry that ends with "/" includes the folders below.
var layers = map[string][]string{
	"":                   {"oauth", "flows", "secrets"}, // flows and stores themselves are passed in
	"oauth":              {},
	"oauth/oauthtest":    {"oauth"},
	"secrets":            {},
	"secrets/":           {"secrets", "internal/suggest"},
	"envexport":          {},
	"ci":                 {"envexport"},
	"flows":              {"oauth"},
	"flows/":             {"flows", "oauth"},
	"agent":              {"", "oauth", "secrets", "internal/privsock"},
	"internal/agentd":    {"", "agent", "envexport", "oauth", "secrets", "internal/exit", "internal/metricsweb", "internal/paths", "internal/privsock", "internal/terminal", "internal/variables", "internal/atomicfile", "internal/netfault", "internal/subprocess", "internal/suggest"},
	"internal/":          {},
	"internal/confirmed": {"", "flows", "flows/clientcred", "internal/suggest", "internal/variables", "oauth", "secrets", "secrets/file"},
	"internal/browser":   {"ci", "flows", "oauth", "internal/subprocess"},
	"internal/proxy":     {"", "flows", "flows/authcode", "flows/device", "oauth", "internal/buffer", "internal/connlimit", "internal/eventstream", "internal/exit", "internal/mcpwire", "internal/privsock", "internal/proxystate", "internal/toolfilter"},
	"internal/mcpprobe":  {"", "oauth", "internal/eventstream", "internal/mcpwire"},
	"internal/doctor":    {"", "agent", "oauth", "flows", "internal/stores", "internal/suggest", "secrets/keyring", "flows/authcode", "internal/netfault"},
	"internal/parcel":    {"internal/exit", "secrets"},

	"internal/clientconfig": {"internal/atomicfile", "internal/exit", "internal/mcpremote", "internal/paths", "internal/secretref", "internal/suggest", "internal/terminal", "oauth"},
	"internal/eventstream":  {"internal/buffer"},
	"internal/extraheader":  {"internal/exit", "internal/secretref"},
	"internal/httpsse":      {"internal/buffer", "internal/eventstream", "internal/mcpwire"},
	"internal/help":         {"internal/terminal"},
	"internal/netfault":     {"oauth"},
	"internal/privsock":     {"internal/atomicfile", "internal/suggest"},
	"internal/proxystate":   {"secrets/file"},
	"internal/toolfilter":   {"internal/buffer", "internal/eventstream", "internal/mcpwire"},
	"internal/settings":     {"internal/paths", "internal/suggest"},
	"internal/sshbrowser":   {"internal/atomicfile", "oauth", "internal/markup", "internal/privsock", "internal/subprocess", "internal/suggest"},
	"internal/stores":       {"secrets", "secrets/file", "secrets/keyring", "secrets/vault", "internal/paths", "internal/secretref"},
	"internal/relay":        {"oauth", "internal/markup", "internal/netfault"}, // neither flows nor the root package: it must not be able to exchange a code for a token
	"internal/secretref":    {"secrets", "internal/subprocess"},
	"internal/shellscript":  {"internal/suggest"},
	"internal/suggest":      {},
	"internal/terminal":     {"ci", "flows", "flows/authcode", "flows/device", "oauth", "internal/secretref", "internal/suggest"},

	"internal/access": {
		"", "agent", "ci", "envexport", "flows", "internal/cistep", "internal/clientconfig", "internal/confirmed", "internal/exit", "internal/extraheader", "internal/httpsse", "internal/invocation", "internal/paths", "internal/profilename",
		"internal/redact", "internal/remedy", "internal/report", "internal/secretref", "internal/settings", "internal/signin", "internal/sshbrowser", "internal/stores", "internal/suggest",
		"internal/terminal", "internal/variables", "oauth", "secrets", "secrets/file",
	},
	"internal/cistep":      {"ci", "envexport"},
	"internal/commandline": {"internal/exit", "internal/settings", "internal/suggest", "internal/help", "internal/profilename", "internal/terminal"},
	"internal/completion":  {"envexport", "internal/clientconfig", "internal/commandline", "internal/shellscript", "internal/stores", "internal/terminal", "internal/variables", "secrets"},
	"internal/manpage":     {"internal/commandline", "internal/exit", "internal/help", "internal/subprocess"},
	"internal/report":      {"internal/netfault", "", "agent", "flows", "internal/confirmed", "internal/doctor", "internal/mcpprobe", "internal/settings", "internal/stores", "internal/terminal", "oauth", "ci", "internal/signin"},
	"internal/remedy": {
		"", "agent", "ci", "envexport", "flows", "flows/authcode", "internal/cistep", "internal/commandline", "internal/confirmed", "internal/exit", "internal/paths", "internal/profilename",
		"internal/secretref", "internal/settings", "internal/stores", "internal/suggest", "internal/variables", "oauth", "secrets", "secrets/keyring", "secrets/vault", "internal/mcpprobe", "internal/netfault", "internal/signin", "secrets/file",
	},
	"internal/invocation": {"internal/commandline", "internal/remedy", "internal/secretref", "internal/settings", "internal/variables", "internal/exit"},
	"internal/exit":       {"internal/suggest"},
	"internal/metricsweb": {"internal/connlimit", "internal/exit"},
	"internal/outbound":   {"internal/exit", "oauth"},
	"internal/signin": {
		"", "agent", "ci", "flows", "flows/authcode", "flows/clientcred", "flows/device", "internal/browser", "internal/exit", "internal/secretref", "internal/sshbrowser",
		"internal/suggest", "internal/terminal", "oauth", "envexport", "internal/subprocess",
	},
	"internal/shelleval": {"ci", "envexport", "internal/commandline", "internal/exit", "internal/invocation", "internal/subprocess", "internal/suggest", "internal/variables"},
	"internal/variables": {"envexport", "internal/exit", "internal/settings", "internal/suggest"},

	"internal/suggest/suggesttest":   {"internal/suggest"},
	"internal/terminal/terminaltest": {"flows", "flows/device", "oauth", "internal/await"},
}

// baseLayer are packages below all others: stateless checks, each of which exists
// once.
var baseLayer = []string{"internal/ascii", "internal/netcheck", "internal/printable", "internal/semaphore"}

// onlyIn are modules that only one package may import.
var onlyIn = map[string][]string{
	"github.com/urfave/cli/v2":        {"cmd"},
	"github.com/rs/zerolog":           {"cmd"},
	"golang.org/x/term":               {"internal/terminal", "examples"},
	"github.com/mdp/qrterminal/v3":    {"internal/terminal"},
	"github.com/hashicorp/vault/api":  {"secrets/vault", "internal/stores"},
	"github.com/zalando/go-keyring":   {"secrets/keyring"},
	"github.com/VictoriaMetrics":      {"internal/agentd", "internal/relay"},
	"github.com/gomodule/redigo":      {"internal/relay"},
	"github.com/pelletier/go-toml":    {"internal/clientconfig", "internal/settings"},
	"github.com/tailscale/hujson":     {"internal/clientconfig"},
	"go.yaml.in/yaml":                 {"internal/clientconfig"},
	"golang.org/x/net":                {"flows", "internal/profilename"},
	"github.com/modelcontextprotocol": {"examples"},
	"html/template":                   {"examples"}, // these two find methods by name, so that the
	"text/template":                   {"examples"}, // linker keeps every method of every type: 3 MB of the program
}

// notInCommands are packages that implement a protocol, open a store or draw on the
// terminal: the commands call packages that do.
var notInCommands = []string{
	"net/http", "bufio", "crypto/", "golang.org/x/", "github.com/modelcontextprotocol/",
	module + "/agent", module + "/flows/", module + "/secrets/",
}

// TestLayers: packages import only lower ones, and no package that its authors call
// unstable.
func TestLayers(t *testing.T) {
	imports := importsOfPackages(t)
	for from, paths := range imports {
		for _, path := range paths {
			if to, own := ownPackage(path); own && !mayImport(from, to) {
				t.Errorf("%q imports %q, which is not below it", from, to)
			}
			if from == commands && slices.ContainsFunc(notInCommands, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
				t.Errorf("%q imports %s: call a package in internal/ that does", from, path)
			}
			if strings.HasSuffix(path, "/unstable") || strings.HasSuffix(path, "/experimental") {
				t.Errorf("%q imports %s, which may change at any time", from, path)
			}
			for prefix, places := range onlyIn {
				if strings.HasPrefix(path, prefix) && !slices.ContainsFunc(places, func(p string) bool { return within(from, p) }) {
					t.Errorf("%q imports %s, which only %q may", from, path, places)
				}
			}
		}
	}
	if len(imports) < 10 {
		t.Errorf("only %d packages were checked", len(imports))
	}
}

// importsOfPackages returns what each package of this module imports.
func importsOfPackages(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from, _ := ownPackage(words[0])
		imports[from] = words[1:]
	}
	return imports
}

// ownPackage returns the path of a package in this module.
func ownPackage(path string) (within string, own bool) {
	within, own = strings.CutPrefix(path, module)
	return strings.TrimPrefix(within, "/"), own
}

// TestPackageComments: each package in internal/ says what it does and what it must
// not know, so that readers know what belongs there.
func TestPackageComments(t *testing.T) {
	dirs, err := filepath.Glob("internal/*")
	if err != nil || len(dirs) < 40 {
		t.Fatalf("%d folders, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		text := packageComment(t, dir)
		if !strings.HasPrefix(text, "Package "+filepath.Base(dir)+" ") || !regexp.MustCompile(`must\s+(?:not|never)\b`).MatchString(text) {
			t.Errorf("the comment of package %s does not say what it does and what it must not know: %q", dir, text)
		}
	}
}

func packageComment(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if text := f.Doc.Text(); strings.HasPrefix(text, "Package ") {
			return text
		}
	}
	return ""
}

func mayImport(from, to string) bool {
	if slices.Contains(baseLayer, from) {
		return false
	}
	if within(from, "cmd") || within(from, "examples") {
		return true
	}
	allowed, found := layers[from]
	if !found {
		top, _, _ := strings.Cut(from, "/")
		allowed, found = layers[top+"/"]
	}
	return slices.Contains(baseLayer, to) || found && slices.Contains(allowed, to)
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// TestDependenciesHaveReasons: CONTRIBUTING.md gives the reason for each direct
// dependency, and lists no others.
func TestDependenciesHaveReasons(t *testing.T) {
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err == nil {
		err = json.Unmarshal(out, &mod)
	}
	if err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	page, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, reasons, _ := strings.Cut(string(page), "\n## Dependencies\n")
	for _, module := range direct {
		if !strings.Contains(reasons, "`"+module+"`") {
			t.Errorf("CONTRIBUTING.md gives no reason for %s", module)
		}
	}
	for _, m := range regexp.MustCompile("`((?:github\\.com|golang\\.org|filippo\\.io)/[^`]+)`").FindAllStringSubmatch(reasons, -1) {
		if !slices.Contains(direct, m[1]) {
			t.Errorf("CONTRIBUTING.md gives a reason for %s, which is not a direct dependency", m[1])
		}
	}
}
