//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/mcp-login/mcp-login/internal/await"
)

// chromium is a headless Chromium with one tab.
type chromium struct {
	t   *testing.T
	ctx context.Context
}

func startChromium(t *testing.T, more ...chromedp.ExecAllocatorOption) *chromium {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // the tests may run as root, and visit only this machine
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		// The server's pages import a font from the internet, and Chromium does not
		// finish loading them before that request ends. These flags make it fail
		// at once.
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.WSURLReadTimeout(await.Limit),
	)
	options = append(options, more...)
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &chromium{t, ctx}
}

// run runs steps with a timeout that also suits a busy machine.
func (c *chromium) run(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, await.Limit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		c.t.Fatalf("Chromium: %v", err)
	}
}

// waitFor waits until the page is loaded and contains an element that matches the
// selector.
func (c *chromium) waitFor(selector string) {
	c.t.Helper()
	state := fmt.Sprintf(`document.readyState === "complete" && document.querySelector(%q) !== null`, selector)
	await.True(c.t, "Chromium shows "+selector, func() bool {
		ready, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](state))
		return err == nil && ready // an error means that the page is being replaced
	})
}

// heading waits for a page of the program and returns its heading.
func (c *chromium) heading() string {
	c.t.Helper()
	const selector = "main > h1" // the server's pages have no such element
	c.waitFor(selector)
	return c.evaluate(fmt.Sprintf(`document.querySelector(%q).innerText`, selector))
}

func (c *chromium) evaluate(expression string) string {
	c.t.Helper()
	got, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		c.t.Fatalf("Chromium: %s: %v", expression, err)
	}
	return got
}

// The forms of oidc-provider. Only the form distinguishes the sign-in page from the
// consent page: both have a link to cancel, for example.
const (
	loginForm   = `form:has(input[name=prompt][value=login])`
	consentForm = `form:has(input[name=prompt][value=consent])`
)

// click clicks an element by script. Chromium drops mouse and key events that arrive
// before the page is painted.
func (c *chromium) click(selector string) {
	c.t.Helper()
	c.waitFor(selector)
	c.evaluate(fmt.Sprintf(`document.querySelector(%q).click(); ""`, selector))
}

// consentTo opens an authorization URL and signs in, up to the consent page.
func (c *chromium) consentTo(link string) {
	c.t.Helper()
	c.run(chromedp.Navigate(link))
	c.signIn()
}

// signIn waits for the sign-in page and signs in, up to the consent page.
func (c *chromium) signIn() {
	c.t.Helper()
	c.waitFor(loginForm)
	for name, value := range map[string]string{"login": "somebody", "password": "any"} {
		c.evaluate(fmt.Sprintf(`document.querySelector("input[name=%s]").value = %q`, name, value))
	}
	c.click(loginForm + ` button[type=submit]`)
	c.waitFor(consentForm)
}

// approve signs in and consents. The browser ends at a page of the program.
func (c *chromium) approve(link string) {
	c.t.Helper()
	c.consentTo(link)
	c.click(consentForm + ` button[type=submit]`)
}

// deny signs in and cancels.
func (c *chromium) deny(link string) {
	c.t.Helper()
	c.consentTo(link)
	c.click(`a[href$="/abort"]`)
}

// takeScreenshots saves screenshots of the page: wide and narrow, light and dark. They
// are kept with `go test -artifacts`.
func (c *chromium) takeScreenshots(name string) {
	c.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, media); err != nil {
			c.t.Fatal(err)
		}
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"wide", 1100, 700}, {"narrow", 360, 640}, {"small", 320, 568}} {
			c.run(chromedp.EmulateViewport(size.width, size.height))
			png, err := chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				c.t.Fatal(err)
			}
			path := filepath.Join(c.t.ArtifactDir(), name+"-"+scheme+"-"+size.name+".png")
			if err := os.WriteFile(path, png, 0o600); err != nil {
				c.t.Fatal(err)
			}
			if overflows := c.evaluate(`String(document.documentElement.scrollWidth > innerWidth)`); overflows != "false" {
				c.t.Errorf("the page %s scrolls horizontally at %d pixels", name, size.width)
			}
		}
	}
}
