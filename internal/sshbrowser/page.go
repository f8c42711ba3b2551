package sshbrowser

import (
	_ "embed" // the page

	"github.com/mcp-login/mcp-login/internal/markup"
)

//go:embed page.html
var pageHTML string

// facts are what the page shows. Only From and the hosts vary.
type facts struct {
	From, SignIn, Server string
	Go, Always, Cancel   string
	Title, Text          string
}

const (
	askHTML markup.HTML = `<p><b>{from}</b> asks to sign in at <b>{host}</b>{server}.</p>
<p>Continue only if you started this sign-in there just now. The token goes to that host.</p>
<p><a class="go" rel="noreferrer" href="{go}">Continue to {host}</a> <a class="cancel" href="{cancel}">Cancel</a></p>
{always}`
	alwaysHTML markup.HTML = `<p class="more"><a class="always" href="{always}">Continue, and do not ask again for {host}</a><br>
Then <b>{from}</b> can start sign-ins there at any time, also when you did not ask for one.</p>`
)

// html returns the page.
func (f facts) html() markup.HTML {
	body := markup.If(markup.Text(f.Text), "<p>{}</p>")
	if f.Go != "" {
		body = f.ask()
	}
	return markup.Fill(markup.HTML(pageHTML), "{title}", markup.Text(f.Title), "{body}", body)
}

// ask returns the question.
func (f facts) ask() markup.HTML {
	from, host := markup.Text(f.From), markup.Text(f.SignIn)
	var always markup.HTML
	if f.Always != "" {
		always = markup.Fill(alwaysHTML, "{always}", markup.Href(f.Always), "{host}", host, "{from}", from)
	}
	return markup.Fill(askHTML, "{from}", from, "{host}", host, "{go}", markup.Href(f.Go), "{cancel}", markup.Href(f.Cancel),
		"{server}", markup.If(markup.Text(f.Server), ", for the MCP server <b>{}</b>"), "{always}", always)
}
