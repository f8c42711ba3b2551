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

// person is somebody with a browser: cookies, redirects, and forms that are
// sent as they came.
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

// page is where the browser stands.
type page struct {
	url  *url.URL
	body string
}

var (
	formTag   = regexp.MustCompile(`(?is)<form[^>]*\saction="([^"]*)"`)
	inputTag  = regexp.MustCompile(`(?is)<input[^>]*>`)
	attribute = regexp.MustCompile(`(?is)\s(name|value)="([^"]*)"`)
)

// approve goes through oidc-provider's device page, login and consent.
func (u *webUser) approve(link string) {
	u.t.Helper()
	at := u.consentTo(link)
	if at = u.submit(at, nil); !strings.Contains(at.body, "Success") {
		u.t.Fatalf("the consent did not end in success, but at %s:\n%s", at.url, at.body)
	}
}

// deny goes the same way and cancels at the consent.
func (u *webUser) deny(link string) {
	u.t.Helper()
	at := u.consentTo(link)
	if !strings.Contains(at.body, at.url.Path+"/abort") {
		u.t.Fatalf("no way to cancel at %s:\n%s", at.url, at.body)
	}
	u.get(at.url.String() + "/abort")
}

// consentTo opens the link, confirms the code and signs in.
func (u *webUser) consentTo(link string) page {
	u.t.Helper()
	at := u.get(link)
	at = u.submit(at, nil) // the page with the code in its URL sends itself on
	at = u.submit(at, nil) // "the code on my device is the same"
	return u.submit(at, url.Values{"login": {"somebody"}, "password": {"any"}})
}

// submit sends the page's form with its hidden fields and the given ones.
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
