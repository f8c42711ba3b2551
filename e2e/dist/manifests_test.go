//go:build e2e && dist

package dist

import (
	"debug/macho"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	downloadURL = regexp.MustCompile(`https://github\.com/mcp-login/mcp-login/releases/download/(v[^/"]+)/([^"\s]+)`)
	hexSum      = regexp.MustCompile(`\b[0-9a-fA-F]{64}\b`)
	nixSum      = regexp.MustCompile(`sha256-([A-Za-z0-9+/=]{44})`)
)

// TestManifests: the manifests of the package managers name existing archives, each
// with its checksum.
func TestManifests(t *testing.T) {
	for path, downloads := range map[string]int{
		"homebrew/Casks/mcp-login.rb": 4,
		"scoop/mcp-login.json":        2,
		"aur/mcp-login-bin.pkgbuild":  4,
		"aur/mcp-login-bin.srcinfo":   4,
		"nix/flake.nix":               4,
		"winget/manifests/m/mcp-login/mcp-login/" + metadata.Version + "/mcp-login.mcp-login.installer.yaml": 2,
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text := strings.NewReplacer("#{version}", metadata.Version, "${pkgver}", metadata.Version).Replace(string(read(t, file(t, path))))
			found := downloadURL.FindAllStringSubmatchIndex(text, -1)
			if len(found) != downloads {
				t.Fatalf("%d downloads, want %d", len(found), downloads)
			}
			for _, at := range found {
				tag, name := text[at[2]:at[3]], text[at[4]:at[5]]
				if tag != metadata.Tag {
					t.Errorf("%s is downloaded from %s, want %s", name, tag, metadata.Tag)
				}
				if want := sum(read(t, file(t, name))); nextSum(text[at[1]:]) != want {
					t.Errorf("%s has the checksum %s, want %s", name, nextSum(text[at[1]:]), want)
				}
			}
		})
	}
}

// nextSum returns the first checksum in a text.
func nextSum(text string) string {
	if m := nixSum.FindStringSubmatch(text); m != nil {
		raw, _ := base64.StdEncoding.DecodeString(m[1]) // 44 characters of the base64 alphabet
		return hex.EncodeToString(raw)
	}
	return strings.ToLower(hexSum.FindString(text))
}

// TestManifestsParse parses each manifest with the language that it is written in.
func TestManifestsParse(t *testing.T) {
	provide(t, "packages")
	output(t, exec.Command("ruby", "-c", file(t, "homebrew/Casks/mcp-login.rb")))
	output(t, exec.Command("nix-instantiate", "--parse", file(t, "nix/flake.nix")))
	var scoop struct{ Version string }
	decode(t, read(t, file(t, "scoop/mcp-login.json")), &scoop)
	if scoop.Version != metadata.Version {
		t.Errorf("scoop has version %q", scoop.Version)
	}
}

// TestPKGBUILD verifies the checksum and runs the package function, like makepkg.
func TestPKGBUILD(t *testing.T) {
	src, pkg := t.TempDir(), t.TempDir()
	output(t, exec.Command("tar", "-xzf", file(t, "mcp-login_VERSION_linux_amd64.tar.gz"), "-C", src))
	build := exec.Command("bash", "-euc", `. "$1"; pkgdir=$2; printf '%s\n' "$pkgname" "${sha256sums_x86_64[0]}"; package`, "bash", file(t, "aur/mcp-login-bin.pkgbuild"), pkg)
	build.Dir = src
	if got, want := output(t, build), "mcp-login-bin\n"+sum(read(t, file(t, "mcp-login_VERSION_linux_amd64.tar.gz")))+"\n"; got != want {
		t.Errorf("the PKGBUILD has %q, want %q", got, want)
	}
	newAccount(t, filepath.Join(pkg, "usr/bin/mcp-login")).checkSignInAndUse(t)
}

// TestBundle: the tool for MCP bundles accepts the bundle, and its command works as a
// client would start it.
func TestBundle(t *testing.T) {
	path := file(t, "mcp-login_VERSION.mcpb")
	dir := t.TempDir()
	for name, f := range unzip(t, path) {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, f.data, f.mode.Perm()); err != nil {
			t.Fatal(err)
		}
	}
	tool := filepath.Join(provide(t, "mcpb"), "node_modules/.bin/mcpb")
	output(t, exec.Command(tool, "validate", filepath.Join(dir, "manifest.json")))
	output(t, exec.Command(tool, "unpack", path, filepath.Join(t.TempDir(), "unpacked")))

	var manifest struct {
		Version string
		Server  struct {
			Config struct {
				Args      []string
				Overrides map[string]struct{ Command string } `json:"platform_overrides"`
			} `json:"mcp_config"`
		}
	}
	if err := json.Unmarshal(read(t, filepath.Join(dir, "manifest.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Version != metadata.Version {
		t.Errorf("the manifest has version %q", manifest.Version)
	}
	for system, command := range map[string]string{"linux": "server/mcp-login-linux", "win32": "server/mcp-login.exe"} {
		if got := manifest.Server.Config.Overrides[system].Command; got != "${__dirname}/"+command {
			t.Errorf("on %s the command is %q", system, got)
		}
		output(t, exec.Command("test", "-x", filepath.Join(dir, command)))
	}
	mac, err := macho.OpenFat(filepath.Join(dir, "server/mcp-login"))
	if err != nil || len(mac.Arches) != 2 || mac.Arches[0].Cpu != macho.CpuAmd64 || mac.Arches[1].Cpu != macho.CpuArm64 {
		t.Errorf("the program for macOS: %+v, %v", mac, err)
	}

	a := newAccount(t, filepath.Join(dir, "server/mcp-login-linux"))
	demo := a.login(t)
	values := strings.NewReplacer("${user_config.name}", "demo", "${user_config.url}", demo.MCP())
	var args []string
	for _, arg := range manifest.Server.Config.Args {
		args = append(args, values.Replace(arg))
	}
	checkProxy(t, a.cmd(args...))
}
