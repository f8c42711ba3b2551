//go:build e2e

package e2e

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// webUser is a user with a browser: it keeps cookies, follows redirects, and submits
// forms.
type webUser struct {
	t      testing.TB
	client *http.Client
}

func newWebUser(t testing.TB) *webUser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &webUser{t: t, client: &http.Client{Jar: jar}}
}

// page is the page that the browser shows.
type page struct {
	url  *url.URL
	body string
}

var (
	formTag   = regexp.MustCompile(`(?is)<form[^>]*\saction="([^"]*)"`)
	inputTag  = regexp.MustCompile(`(?is)<input[^>]*>`)
	attribute = regexp.MustCompile(`(?is)\s(name|value)="([^"]*)"`)
)

// approve completes oidc-provider's device, sign-in and consent pages.
func (u *webUser) approve(link string) {
	u.t.Helper()
	at := u.consentTo(link)
	if at = u.submit(at, nil); !strings.Contains(at.body, "Success") {
		u.t.Fatalf("the consent ended at %s:\n%s", at.url, at.body)
	}
}

// deny does the same, and cancels at the consent page.
func (u *webUser) deny(link string) {
	u.t.Helper()
	at := u.consentTo(link)
	if !strings.Contains(at.body, at.url.Path+"/abort") {
		u.t.Fatalf("no way to cancel at %s:\n%s", at.url, at.body)
	}
	u.get(at.url.String() + "/abort")
}

// consentTo opens the link, confirms the code and signs in, up to the consent page.
func (u *webUser) consentTo(link string) page {
	u.t.Helper()
	at := u.get(link)
	at = u.submit(at, nil) // a page with the code in its URL submits itself
	at = u.submit(at, nil) // confirms that the device shows the same code
	return u.submit(at, url.Values{"login": {"somebody"}, "password": {"any"}})
}

// submit submits the page's form with its hidden fields and the fields of fill.
func (u *webUser) submit(at page, fill url.Values) page {
	u.t.Helper()
	m := formTag.FindStringSubmatch(at.body)
	if m == nil {
		u.t.Fatalf("no form at %s:\n%s", at.url, at.body)
	}
	target, err := at.url.Parse(html.UnescapeString(m[1]))
	if err != nil {
		u.t.Fatal(err)
	}
	fields := url.Values{}
	for _, tag := range inputTag.FindAllString(at.body, -1) {
		attrs := map[string]string{}
		for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
			attrs[a[1]] = html.UnescapeString(a[2])
		}
		if attrs["name"] != "" {
			fields.Set(attrs["name"], attrs["value"])
		}
	}
	for name, values := range fill {
		fields[name] = values
	}
	resp, err := u.client.PostForm(target.String(), fields)
	return u.read(resp, err)
}

func (u *webUser) get(link string) page {
	u.t.Helper()
	resp, err := u.client.Get(link)
	return u.read(resp, err)
}

func (u *webUser) read(resp *http.Response, err error) page {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	return page{resp.Request.URL, string(body)}
}
