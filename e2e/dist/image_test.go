//go:build e2e && dist

package dist

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// descriptor refers to a blob of an OCI layout.
type descriptor struct {
	Digest   string
	Size     int64
	Platform struct{ OS, Architecture, Variant string }
}

// blob reads a blob and verifies its digest.
func blob(t testing.TB, d descriptor) []byte {
	t.Helper()
	data := read(t, file(t, "image/blobs/"+strings.ReplaceAll(d.Digest, ":", "/")))
	if int64(len(data)) != d.Size || "sha256:"+sum(data) != d.Digest {
		t.Fatalf("%s has %d bytes and the digest %s, want %d bytes", d.Digest, len(data), sum(data), d.Size)
	}
	return data
}

func decode(t testing.TB, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// images returns the manifest of each platform.
func images(t testing.TB) map[string]descriptor {
	t.Helper()
	var layout, index struct{ Manifests []descriptor }
	decode(t, read(t, file(t, "image/index.json")), &layout)
	if len(layout.Manifests) != 1 {
		t.Fatalf("%d images in the layout, want one", len(layout.Manifests))
	}
	decode(t, blob(t, layout.Manifests[0]), &index)
	all := map[string]descriptor{}
	for _, m := range index.Manifests {
		all[m.Platform.OS+"/"+m.Platform.Architecture+m.Platform.Variant] = m
	}
	return all
}

// manifest is one image: its configuration and layers.
type manifest struct {
	Config descriptor
	Layers []descriptor
}

// imageConfig is the configuration that a runtime reads.
type imageConfig struct {
	OS, Architecture string
	Config           struct {
		Entrypoint, Env  []string
		User, WorkingDir string
		Volumes          map[string]any
	}
}

func TestImage(t *testing.T) {
	all := images(t)
	if len(all) != 3 {
		t.Errorf("platforms %v", all)
	}
	for _, platform := range []string{"linux/amd64", "linux/arm64", "linux/armv7"} {
		var m manifest
		var c imageConfig
		decode(t, blob(t, all[platform]), &m)
		decode(t, blob(t, m.Config), &c)
		if c.Config.User != "65532:65532" || !slices.Equal(c.Config.Entrypoint, []string{"/usr/bin/mcp-login"}) || len(c.Config.Volumes) != 1 {
			t.Errorf("%s: %+v", platform, c.Config)
		}
		if len(m.Layers) != 1 {
			t.Fatalf("%s: %d layers", platform, len(m.Layers))
		}
		path := filepath.Join(t.TempDir(), "layer")
		if err := os.WriteFile(path, blob(t, m.Layers[0]), 0o600); err != nil {
			t.Fatal(err)
		}
		files := untar(t, gunzip(t, path))
		if got := strings.Replace(elfMachine(files["usr/bin/mcp-login"].data), "_", "/", 1); got != platform {
			t.Errorf("%s: the program is for %s", platform, got)
		}
		if n := countCertificates(t, files["etc/ssl/certs/ca-certificates.crt"].data); n < 80 {
			t.Errorf("%s: only %d certificates", platform, n)
		}
	}
}

func countCertificates(t testing.TB, data []byte) (n int) {
	t.Helper()
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return n
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Error(err)
		}
		n, data = n+1, rest
	}
}

// container is the unpacked image, which runs with a read-only root and a volume.
type container struct {
	root, volume string
	config       imageConfig
	mounts       []string // additional volumes: a host folder, then its path in the container
}

func newContainer(t testing.TB) *container {
	t.Helper()
	var m manifest
	var c container
	decode(t, blob(t, images(t)["linux/amd64"]), &m)
	decode(t, blob(t, m.Config), &c.config)
	c.root, c.volume = filepath.Join(t.TempDir(), "root"), filepath.Join(t.TempDir(), "volume")
	if err := os.Mkdir(c.root, 0o755); err != nil {
		t.Fatal(err)
	}
	untar := exec.Command("tar", "-xz", "-C", c.root, "--same-owner", "-p")
	untar.Stdin = bytes.NewReader(blob(t, m.Layers[0]))
	output(t, untar)
	if err := os.Mkdir(c.volume, 0o700); err != nil {
		t.Fatal(err)
	}
	// A new volume gets the owner of the folder in the image.
	if err := os.Chown(c.volume, 65532, 65532); err != nil {
		t.Fatal(err)
	}
	return &c
}

// cmd returns a command that runs the program with the mounts in a separate namespace.
func (c *container) cmd(args ...string) *exec.Cmd {
	const script = `set -e
		root=$1; shift
		mount --bind "$root" "$root"
		while [ "$1" != -- ]; do
			mount --bind "$1" "$root$2"
			shift 2
		done
		shift
		mount -o remount,bind,ro "$root"
		exec chroot --userspec=65532:65532 "$root" "$@"`
	words := slices.Concat(
		[]string{"-m", "--propagation", "private", "sh", "-c", script, "sh", c.root, c.volume, c.config.Config.WorkingDir},
		c.mounts, []string{"--"}, c.config.Config.Entrypoint, args)
	cmd := exec.Command("unshare", words...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, c.config.Config.Env[1:]...)
	return cmd
}

// startAgent starts an agent and waits for its socket.
func (c *container) startAgent(t testing.TB, env []string, args ...string) {
	t.Helper()
	agent := c.cmd(append([]string{"agent"}, args...)...)
	agent.Env = append(agent.Env, env...)
	stderr, err := agent.StderrPipe()
	if err == nil {
		err = agent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := agent.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		_ = agent.Wait() // its exit code is that of the signal
	})
	if line, err := bufio.NewReader(stderr).ReadString('\n'); err != nil || !strings.HasPrefix(line, "agent socket: ") {
		t.Fatalf("the agent printed %q, %v", line, err)
	}
}

// TestImageRuns: as an unprivileged user on a read-only root, the image signs in, keeps
// its store in the volume, and works with exec, proxy and agent.
func TestImageRuns(t *testing.T) {
	needRoot(t)
	c := newContainer(t)
	if got := output(t, c.cmd("version")); !strings.Contains(got, metadata.Version) {
		t.Errorf("version: %q", got)
	}
	demo := startDemo(t)
	output(t, c.cmd("login", "demo", demo.MCP(), "--flow", "device"))
	checkToken(t, demo, demoToken.FindString(output(t, c.cmd("env", "demo"))))
	output(t, c.cmd("exec", "demo", "--", "/usr/bin/mcp-login", "version"))
	checkProxy(t, c.cmd("proxy", "demo"))

	socket := c.config.Config.WorkingDir + "/agent.sock"
	c.startAgent(t, nil, "--socket", socket)
	checkToken(t, demo, strings.TrimSpace(output(t, c.cmd("token", "demo", "--agent-sock", socket))))
	if changed := output(t, exec.Command("find", c.root, "-xdev", "-newer", c.volume, "-type", "f")); changed != "" {
		t.Errorf("files of the root changed: %s", changed)
	}
	if stored := filesBelow(t, c.volume); len(stored) == 0 {
		t.Error("the volume has no store")
	}
}

// TestImageWithVolumeOfAnotherUser: if the volume is not writable, the error names its
// owner.
func TestImageWithVolumeOfAnotherUser(t *testing.T) {
	needRoot(t)
	c := newContainer(t)
	if err := os.Chown(c.volume, 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, out := outputOfFailure(t, c.cmd("login", "demo", "http://127.0.0.1:1/mcp")); !strings.Contains(out, "hint: /home/mcp-login belongs to user 0, but you are user 65532") {
		t.Errorf("the error is %s", out)
	}
}
