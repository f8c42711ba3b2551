//go:build e2e

package e2e

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/mcp-login/mcp-login/internal/await"
)

// remoteHost is a home on a host that is reached over SSH.
type remoteHost struct {
	*home
	ssh *sshHost
}

func newRemoteHost(t *testing.T, config ...string) *remoteHost {
	t.Helper()
	h := newHome(t)
	return &remoteHost{h, startSSHD(t, append(config, "SetEnv "+strings.Join(h.env, " "))...)}
}

// options returns the flags of mcp-login that select the host's sshd.
func (h *remoteHost) options() []string {
	var flags []string
	for i := 0; i < len(h.ssh.args); i += 2 {
		switch name, value := h.ssh.args[i], h.ssh.args[i+1]; name {
		case "-i":
			flags = append(flags, "--ssh-option", "IdentityFile="+value)
		case "-p":
			flags = append(flags, "--ssh-option", "Port="+value)
		case "-o":
			flags = append(flags, "--ssh-option", value)
		}
	}
	return flags
}

// sshTo returns the arguments of mcp-login ssh for a host.
func sshTo(h *remoteHost, opener string) []string {
	return append([]string{"ssh", "127.0.0.1", "--browser-command", opener}, h.options()...)
}

// waitForOpenedURL waits for the URL that the recording browser opened, and deletes the
// record.
func waitForOpenedURL(t *testing.T, note string) string {
	t.Helper()
	var link string
	await.True(t, "the laptop's browser is opened", func() bool {
		text, err := os.ReadFile(note)
		link = string(text)
		return err == nil && link != "" && os.Remove(note) == nil
	})
	return link
}

// linkOf returns the URL of a link of a page.
func linkOf(t *testing.T, p page, class string) string {
	t.Helper()
	m := regexp.MustCompile(`<a class="` + class + `"[^>]*href="([^"]+)"`).FindStringSubmatch(p.body)
	if m == nil {
		t.Fatalf("no link %s at %s:\n%s", class, p.url, p.body)
	}
	to, err := p.url.Parse(html.UnescapeString(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return to.String()
}

// TestSSHBrowser: a remote host finds the laptop's browser through a real sshd, without
// an argument that names the socket, until the connection ends.
func TestSSHBrowser(t *testing.T) {
	t.Parallel()
	host := newRemoteHost(t)
	demo := startDemo(t)
	res := newHome(t).run(append(sshTo(host, "true"), "--", program, "discover", demo.MCP())...)
	if res.code != 0 || strings.Contains(res.stdout, "no browser can be opened here") || strings.Contains(res.stderr, "warning") {
		t.Errorf("exit code %d, %s\n%s", res.code, res.stdout, res.stderr)
	}
	folders, err := filepath.Glob(filepath.Join(host.dir, "state", "mcp-login", "browser", "*-????????"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("folders of this host: %v, %v", folders, err)
	}
	if info, err := os.Stat(folders[0]); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of the socket: %v, %v", info, err)
	}
	if out := host.run("discover", demo.MCP()); !strings.Contains(out.stdout, "no browser can be opened here") {
		t.Errorf("after the connection ended: %s", out.stdout)
	}
}

// TestSSHBrowserRefused: a host that does not forward sockets still gets its session.
func TestSSHBrowserRefused(t *testing.T) {
	t.Parallel()
	host := newRemoteHost(t, "AllowStreamLocalForwarding no")
	res := newHome(t).run(append(sshTo(host, "true"), "--", "exit", "7")...)
	if res.code != 7 || !strings.Contains(res.stderr, "AllowStreamLocalForwarding") {
		t.Errorf("exit code %d\n%s", res.code, res.stderr)
	}
}

// TestSSHBrowserSignIn signs in on a remote host with a fake of the laptop's browser:
// the laptop asks, the user disables further questions, it does not ask, and the user denies.
func TestSSHBrowserSignIn(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	host, laptop := newRemoteHost(t), newHome(t)
	opener, note := laptop.recordingBrowser()
	login := append(sshTo(host, opener), "--", program, "login", "box", o.mcp(), "--force")
	for _, link := range []string{"go", "always", ""} {
		r := laptop.start(login...)
		p := newWebUser(t)
		start := waitForOpenedURL(t, note)
		at := page{}
		if link == "" {
			at = p.signIn(start)
		} else {
			ask := p.get(start)
			if !strings.Contains(ask.body, "<b>127.0.0.1</b> asks to sign in at") {
				t.Errorf("the page does not name the host:\n%s", ask.body)
			}
			at = p.signIn(linkOf(t, ask, link))
		}
		if !strings.Contains(at.body, "Return to your terminal") {
			t.Errorf("%q: the browser ended at %s:\n%s", link, at.url, at.body)
		}
		got := r.wait(0)
		if !strings.Contains(got.stderr, "your laptop's browser") || !o.active(host.token("box")) {
			t.Errorf("%q: no token, or the output does not name the flow\n%s", link, got.stderr)
		}
		if files, _ := filepath.Glob(filepath.Join(laptop.dir, "data", "mcp-login", "*")); len(files) != 0 {
			t.Errorf("the laptop has the files %v", files)
		}
	}
	laptop.want(0, "browser", "--forget")
	r := laptop.start(login...)
	p := newWebUser(t)
	p.get(linkOf(t, p.get(waitForOpenedURL(t, note)), "cancel"))
	r.wait(5)
}

// TestSSHBrowserChromium does the same with a real browser.
func TestSSHBrowserChromium(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	host, laptop := newRemoteHost(t), newHome(t)
	opener, note := laptop.recordingBrowser()
	r := laptop.start(append(sshTo(host, opener), "--", program, "login", "box", o.mcp())...)
	c := startChromium(t)
	c.run(chromedp.Navigate(waitForOpenedURL(t, note)))
	c.waitFor("a.go")
	c.takeScreenshots("asked-by-a-remote-host")
	c.click("a.go")
	c.signIn()
	c.click(consentForm + ` button[type=submit]`)
	c.waitFor("h1")
	await.True(t, "the last page is shown", func() bool {
		return c.evaluate(`document.querySelector("h1")?.innerText ?? ""`) == "Return to your terminal"
	})
	c.takeScreenshots("return-to-the-terminal")
	r.wait(0)
	if !o.active(host.token("box")) {
		t.Error("the server does not accept the token")
	}
}

// TestSSHBrowserProxy: a proxy on the remote host opens the laptop's browser for its
// first sign-in.
func TestSSHBrowserProxy(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	host, laptop := newRemoteHost(t), newHome(t)
	opener, note := laptop.recordingBrowser()
	r := laptop.start(append(sshTo(host, opener), "--", program, "proxy", "box", o.mcp(), "--login", "</dev/null")...)
	p := newWebUser(t)
	p.signIn(linkOf(t, p.get(waitForOpenedURL(t, note)), "go"))
	r.wait(0)
	if !o.active(host.token("box")) {
		t.Error("the server does not accept the token")
	}
}

// TestSSHBrowserAfterDisconnect: a session that continues after its connection has
// ended, as in tmux, uses the next flow at once, and finds the browser of the next
// connection.
func TestSSHBrowserAfterDisconnect(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	host, laptop := newRemoteHost(t), newHome(t)
	opener, note := laptop.recordingBrowser()
	r := laptop.start(append(sshTo(host, opener), "--", "echo up >&2; exec sleep 60")...)
	r.stderr.await(t, regexp.MustCompile("up\n"))
	sign := host.start("login", "box", o.mcp()) // not a child process of the connection
	waitForOpenedURL(t, note)
	sign.stderr.await(t, regexp.MustCompile(`in the browser that opened on your laptop`))
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	sign.stderr.await(t, regexp.MustCompile(`flow: browser cannot be used: .*connection to your laptop has ended`))
	link := sign.stderr.await(t, regexp.MustCompile(`http://\S+user_code=\S+`))
	newWebUser(t).approve(link)
	sign.wait(0)

	began := time.Now()
	if out := host.run("discover", o.mcp()); !strings.Contains(out.stdout, "no browser can be opened here") {
		t.Errorf("a socket without a listener is used: %s", out.stdout)
	}
	t.Logf("it took %v", time.Since(began))
	again := laptop.start(append(sshTo(host, opener), "--", "echo up >&2; exec sleep 60")...)
	again.stderr.await(t, regexp.MustCompile("up\n"))
	sign = host.start("login", "box", o.mcp(), "--force")
	p := newWebUser(t)
	p.signIn(linkOf(t, p.get(waitForOpenedURL(t, note)), "go"))
	sign.wait(0)
	if err := again.cmd.Process.Signal(syscall.SIGTERM); err != nil { // it does not exit by itself
		t.Fatal(err)
	}
	again.wait(130) // and has ended its connection
}

// TestSSHBrowserConfig: the lines that mcp-login browser prints work in a real
// ssh_config, for one connection after another.
func TestSSHBrowserConfig(t *testing.T) {
	t.Parallel()
	o := startOIDC(t, settings{})
	host, laptop := newRemoteHost(t), newHome(t)
	opener, note := laptop.recordingBrowser()
	helper := laptop.start(append([]string{"browser", "127.0.0.1", "--browser-command", opener}, host.options()...)...)
	lines := helper.stderr.await(t, regexp.MustCompile(`(?m)^ *Host 127.0.0.1\n *RemoteForward .*\n`))
	config := filepath.Join(laptop.dir, "ssh_config")
	for i := 0; i < len(host.ssh.args); i += 2 {
		switch name, value := host.ssh.args[i], host.ssh.args[i+1]; name {
		case "-i":
			lines += "IdentityFile " + value + "\n"
		case "-p":
			lines += "Port " + value + "\n"
		case "-o":
			lines += strings.Replace(value, "=", " ", 1) + "\n"
		}
	}
	if err := os.WriteFile(config, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		ssh := exec.CommandContext(t.Context(), "ssh", "-F", config, "127.0.0.1", program, "login", fmt.Sprint("box", i), o.mcp())
		out := newOutputBuffer()
		ssh.Stderr = out
		if err := ssh.Start(); err != nil {
			t.Fatal(err)
		}
		p := newWebUser(t)
		p.signIn(linkOf(t, p.get(waitForOpenedURL(t, note)), "go"))
		if err := ssh.Wait(); err != nil || strings.Contains(out.String(), "Warning") {
			t.Fatalf("connection %d: %v\n%s", i, err, out)
		}
		if !o.active(host.token(fmt.Sprint("box", i))) {
			t.Error("the server does not accept the token")
		}
	}
	_ = helper.cmd.Process.Signal(syscall.SIGTERM) // it does not exit by itself
}
