package markup_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/internal/markup"
)

func TestText(t *testing.T) {
	const hostile = `"><script>alert('&')</script>`
	if got := markup.Text(hostile); got != "&#34;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;" {
		t.Error(got)
	}
}

func TestHref(t *testing.T) {
	for address, want := range map[string]markup.HTML{
		"https://a.example/x?y=1&z=%22": "https://a.example/x?y=1&amp;z=%22",
		"http://127.0.0.1:1/":           "http://127.0.0.1:1/",
		"/s/cancel":                     "/s/cancel",
		"javascript:alert(1)":           "#",
		"JavaScript:alert(1)":           "#",
		" javascript:alert(1)":          "#",
		"java\nscript:alert(1)":         "#",
		"data:text/html,x":              "#",
		`https://a.example/" onclick="`: "https://a.example/&#34; onclick=&#34;",
	} {
		if got := markup.Href(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	if got := markup.Fill("<b>{a}</b>{b}", "{a}", markup.Text("{b}<"), "{b}", "<br>"); got != "<b>{b}&lt;</b><br>" {
		t.Error(got)
	}
	if got := markup.If("", "<p>{}</p>") + markup.If(markup.Text("x<"), "<p>{}</p>"); got != "<p>x&lt;</p>" {
		t.Error(got)
	}
}
