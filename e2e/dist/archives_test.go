//go:build e2e && dist

package dist

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// platforms are the platforms of the archives, and the function that returns the
// machine of a program for each.
var platforms = map[string]func([]byte) string{
	"linux_amd64": elfMachine, "linux_arm64": elfMachine, "linux_armv7": elfMachine, "linux_386": elfMachine, "freebsd_amd64": elfMachine,
	"darwin_amd64": machoMachine, "darwin_arm64": machoMachine, "windows_amd64": peMachine, "windows_arm64": peMachine,
}

func elfMachine(program []byte) string {
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return err.Error()
	}
	system := "linux"
	if f.OSABI == elf.ELFOSABI_FREEBSD {
		system = "freebsd"
	}
	if f.Section(".interp") != nil {
		return "not static"
	}
	return system + "_" + map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_ARM: "armv7", elf.EM_386: "386"}[f.Machine]
}

func machoMachine(program []byte) string {
	f, err := macho.NewFile(bytes.NewReader(program))
	if err != nil {
		return err.Error()
	}
	return "darwin_" + map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[f.Cpu]
}

func peMachine(program []byte) string {
	f, err := pe.NewFile(bytes.NewReader(program))
	if err != nil {
		return err.Error()
	}
	return "windows_" + map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}[f.Machine]
}

// entry is one file of an archive.
type entry struct {
	mode  os.FileMode
	time  time.Time
	owner string
	data  []byte
}

// untar reads one or more concatenated tar streams.
func untar(t testing.TB, r io.Reader) map[string]entry {
	t.Helper()
	files := map[string]entry{}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeDir {
			files[h.Name] = entry{h.FileInfo().Mode(), h.ModTime, h.Uname + ":" + h.Gname, data}
		}
	}
}

func gunzip(t testing.TB, path string) io.Reader {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func unzip(t testing.TB, path string) map[string]entry {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	files := map[string]entry{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = entry{f.Mode(), f.Modified, "root:root", data}
	}
	return files
}

// commitTime returns the time of the release's commit.
func commitTime(t testing.TB) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(output(t, exec.Command("git", "show", "-s", "--format=%cI", metadata.Commit))))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestArchives(t *testing.T) {
	at := commitTime(t)
	for platform, machine := range platforms {
		t.Run(platform, func(t *testing.T) {
			var files map[string]entry
			program := "mcp-login"
			if strings.HasPrefix(platform, "windows") {
				files, program = unzip(t, file(t, "mcp-login_VERSION_"+platform+".zip")), "mcp-login.exe"
			} else {
				files = untar(t, gunzip(t, file(t, "mcp-login_VERSION_"+platform+".tar.gz")))
			}
			want := []string{program, "LICENSE", "README.md", "CHANGELOG.md", "man/mcp-login.1", "completions/mcp-login.bash", "completions/_mcp-login", "completions/mcp-login.fish", "completions/mcp-login.ps1"}
			slices.Sort(want)
			if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
				t.Errorf("files %q, want %q", got, want)
			}
			for name, f := range files {
				mode := os.FileMode(0o644)
				if name == program {
					mode = 0o755
				}
				if f.mode.Perm() != mode || f.owner != "root:root" || !f.time.Equal(at) || len(f.data) == 0 {
					t.Errorf("%s: mode %v, owner %s, time %v, %d bytes", name, f.mode, f.owner, f.time, len(f.data))
				}
			}
			if got := machine(files[program].data); got != platform {
				t.Errorf("the program is for %s", got)
			}
			if !bytes.Contains(files["man/mcp-login.1"].data, []byte(`"mcp\-login `+strings.ReplaceAll(metadata.Version, "-", `\-`)+`"`)) {
				t.Error("the manual page does not show the version")
			}
		})
	}
}

func TestArchiveRuns(t *testing.T) {
	dir := t.TempDir()
	output(t, exec.Command("tar", "-xzf", file(t, "mcp-login_VERSION_linux_amd64.tar.gz"), "-C", dir))
	newAccount(t, filepath.Join(dir, "mcp-login")).checkSignInAndUse(t)
}

// TestChecksums: checksums.txt has each file of the release page, and sha256sum
// verifies it.
func TestChecksums(t *testing.T) {
	page := file(t, "release")
	check := exec.Command("sha256sum", "--check", "--strict", "--quiet", "checksums.txt")
	check.Dir = page
	output(t, check)
	files, err := os.ReadDir(page)
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Count(string(read(t, file(t, "release/checksums.txt"))), "\n")
	if listed != len(files)-1 || listed < 45 {
		t.Errorf("%d files, %d checksums", len(files)-1, listed)
	}
}

// TestSBOM: each program has an SBOM with every module that Go finds in it.
func TestSBOM(t *testing.T) {
	for platform := range platforms {
		var bom struct {
			BOMFormat    string
			SerialNumber string
			Metadata     struct {
				Timestamp string
				Component struct{ Name string }
			}
			Components []struct{ Name, Version, PURL string }
		}
		if err := json.Unmarshal(read(t, file(t, "mcp-login_VERSION_"+platform+".cdx.json")), &bom); err != nil {
			t.Fatal(err)
		}
		if bom.BOMFormat != "CycloneDX" || bom.SerialNumber != "" || bom.Metadata.Timestamp != "" || bom.Metadata.Component.Name != "github.com/mcp-login/mcp-login" {
			t.Errorf("%s: %+v", platform, bom.Metadata)
		}
		has := map[string]string{}
		for _, c := range bom.Components {
			has[c.Name] = c.Version
		}
		programs, err := filepath.Glob(filepath.Join(releaseDir, "mcp-login_"+strings.Replace(platform, "armv7", "arm_7", 1)+"*", "mcp-login*"))
		if err != nil || len(programs) != 1 {
			t.Fatalf("%s: programs %q, %v", platform, programs, err)
		}
		info := output(t, exec.Command("go", "version", "-m", programs[0]))
		modules := regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(info, -1)
		if len(modules) < 10 {
			t.Errorf("%s: only %d modules", platform, len(modules))
		}
		for _, m := range modules {
			if has[m[1]] != m[2] {
				t.Errorf("%s: %s %s is in the program, but %q in the SBOM", platform, m[1], m[2], has[m[1]])
			}
		}
	}
}
