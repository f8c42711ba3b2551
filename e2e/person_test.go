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
type person struct {
	t      testing.TB
	client *http.Client
}

func newPerson(t testing.TB) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, client: &http.Client{Jar: jar}}
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
func (p *person) approve(link string) {
	p.t.Helper()
	at := p.consentTo(link)
	if at = p.submit(at, nil); !strings.Contains(at.body, "Success") {
		p.t.Fatalf("the consent did not end in success, but at %s:\n%s", at.url, at.body)
	}
}

// deny goes the same way and cancels at the consent.
func (p *person) deny(link string) {
	p.t.Helper()
	at := p.consentTo(link)
	if !strings.Contains(at.body, at.url.Path+"/abort") {
		p.t.Fatalf("no way to cancel at %s:\n%s", at.url, at.body)
	}
	p.get(at.url.String() + "/abort")
}

// consentTo opens the link, confirms the code and signs in.
func (p *person) consentTo(link string) page {
	p.t.Helper()
	at := p.get(link)
	at = p.submit(at, nil) // the page with the code in its URL sends itself on
	at = p.submit(at, nil) // "the code on my device is the same"
	return p.submit(at, url.Values{"login": {"somebody"}, "password": {"any"}})
}

// submit sends the page's form with its hidden fields and the given ones.
func (p *person) submit(at page, fill url.Values) page {
	p.t.Helper()
	m := formTag.FindStringSubmatch(at.body)
	if m == nil {
		p.t.Fatalf("no form at %s:\n%s", at.url, at.body)
	}
	target, err := at.url.Parse(html.UnescapeString(m[1]))
	if err != nil {
		p.t.Fatal(err)
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
	resp, err := p.client.PostForm(target.String(), fields)
	return p.read(resp, err)
}

func (p *person) get(link string) page {
	p.t.Helper()
	resp, err := p.client.Get(link)
	return p.read(resp, err)
}

func (p *person) read(resp *http.Response, err error) page {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return page{resp.Request.URL, string(body)}
}
