//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// chromium is a headless Chromium with one tab.
type chromium struct {
	t   *testing.T
	ctx context.Context
}

func startChromium(t *testing.T) *chromium {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // the tests may run as root, and visit this machine alone
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &chromium{t, ctx}
}

// do runs steps within a time that fits a loaded machine.
func (c *chromium) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		c.t.Fatalf("Chromium: %v", err)
	}
}

// title waits for the program's page and returns its heading.
func (c *chromium) title() string {
	c.t.Helper()
	ours := chromedp.CSS("main > h1") // the server's pages have none
	c.do(chromedp.WaitVisible(ours))
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(ours))
	if err != nil {
		c.t.Fatalf("Chromium: %v", err)
	}
	return text
}

func (c *chromium) evaluate(expression string) string {
	c.t.Helper()
	got, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		c.t.Fatalf("Chromium: %s: %v", expression, err)
	}
	return got
}

// consentTo opens an authorization URL and signs in, up to the consent page.
func (c *chromium) consentTo(link string) {
	c.t.Helper()
	c.do(
		chromedp.Navigate(link),
		chromedp.SendKeys(chromedp.CSS(`input[name=login]`), "somebody"),
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), "any"),
		chromedp.Click(chromedp.CSS(`button[type=submit]`)),
		chromedp.WaitVisible(chromedp.CSS(`a[href$="/abort"]`)),
	)
}

// approve signs in and consents. The browser ends at the program's page.
func (c *chromium) approve(link string) {
	c.t.Helper()
	c.consentTo(link)
	c.do(chromedp.Click(chromedp.CSS(`button[type=submit]`)))
}

// deny signs in and cancels.
func (c *chromium) deny(link string) {
	c.t.Helper()
	c.consentTo(link)
	c.do(chromedp.Click(chromedp.CSS(`a[href$="/abort"]`)))
}

// photograph keeps pictures of the page: wide and narrow, light and dark. They
// stay with `go test -artifacts`.
func (c *chromium) photograph(name string) {
	c.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, media); err != nil {
			c.t.Fatal(err)
		}
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"wide", 1100, 700}, {"narrow", 360, 640}} {
			c.do(chromedp.EmulateViewport(size.width, size.height))
			png, err := chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				c.t.Fatal(err)
			}
			path := filepath.Join(c.t.ArtifactDir(), name+"-"+scheme+"-"+size.name+".png")
			if err := os.WriteFile(path, png, 0o600); err != nil {
				c.t.Fatal(err)
			}
			if wide := c.evaluate(`String(document.documentElement.scrollWidth > innerWidth)`); wide != "false" {
				c.t.Errorf("the page %s scrolls sideways at %d pixels", name, size.width)
			}
		}
	}
}
