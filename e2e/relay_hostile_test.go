//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/mcp-login/mcp-login/internal/await"
)

// TestRelayAndHostilePage: a hostile page in a user's real browser tries to complete
// their sign-in, to read it, to frame it, and to use up their rate limit.
func TestRelayAndHostilePage(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	o := startOIDCWith(t, settings{}, ca.client(), ca.env()...)
	r := startTLSRelay(t, ca)
	run, link := r.login(o.mcp())
	code := link[len(link)-9:]
	var reports atomic.Pointer[string]
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/report" {
			text := req.URL.Query().Get("text")
			reports.Store(&text)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, hostilePage, r.url, code)
	}))
	t.Cleanup(page.Close)

	c := r.newPhone(t)
	c.run(chromedp.Navigate(page.URL))
	await.True(t, "the hostile page is done", func() bool { return reports.Load() != nil })
	// The page can read nothing, because the responses allow only the relay's origin.
	if got := *reports.Load(); got != "read:error post:error open:error frame:blocked images:100 loaded:0" {
		t.Errorf("the page reports %q", got)
	}

	c.run(chromedp.Navigate(link))
	c.waitForHeading("Sign in on your terminal?") // not "Started in another browser", nor "Too many requests"
	c.followRelay(link)
	c.click(consentForm + ` button[type=submit]`)
	c.waitForHeading("Signed in")
	got := run.wait(0).stderr
	if n := strings.Count(got, "/s/"); n == 0 || !strings.Contains(got, code) {
		t.Errorf("the terminal shows:\n%s", got)
	}
	stopReplica(r.run)
}

const hostilePage = `<!doctype html><title>x</title>
<iframe name="f"></iframe><iframe name="g"></iframe>
<script type="module">
const relay = %q, code = %q;
const tried = [];
const attempt = async (name, act) => tried.push(name + ':' + await act().catch(() => 'error'));
await attempt('read', async () => (await fetch(relay + '/s/' + code, { credentials: 'include' })).type);
await attempt('post', async () => (await fetch(relay + '/s/' + code, { method: 'POST', mode: 'no-cors', credentials: 'include' })).type);
await attempt('open', async () => (await fetch(relay + '/v1/sessions', { method: 'POST', mode: 'no-cors', body: '{}' })).type);
await attempt('frame', () => new Promise((resolve) => {
  const f = document.getElementsByName('f')[0];
  f.onload = () => { try { resolve(f.contentDocument === null ? 'blocked' : 'empty'); } catch { resolve('blocked'); } };
  f.src = relay + '/s/' + code;
}));
await new Promise((resolve) => {
  const form = Object.assign(document.createElement('form'), { method: 'post', action: relay + '/s/' + code, target: 'g' });
  document.getElementsByName('g')[0].onload = resolve;
  document.body.append(form);
  form.submit();
});
let loaded = 0;
await Promise.all(Array.from({ length: 100 }, (_, i) => new Promise((resolve) => {
  const image = new Image();
  image.onload = () => { loaded += 1; resolve(); };
  image.onerror = resolve;
  image.src = relay + '/s/BBBB-BBBB?' + i;
})));
await fetch('/report?text=' + encodeURIComponent([...tried, 'images:100', 'loaded:' + loaded].join(' ')));
</script>`
