package proxy

import (
	"context"
	"log/slog"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/proxystate"
	"github.com/mcp-login/mcp-login/oauth"
)

// Limits for what servers send and people see.
const (
	maxURLLength  = 2048 // as in oauth.CheckURL
	maxNameLength = 80
)

// pasteErrorWait is how long the error of a pasted text waits for the call that pasted it.
const pasteErrorWait = time.Second

// Prompt shows in MCP clients where the user approves a sign-in. It implements the prompts
// of all interactive flows.
type Prompt struct {
	attempt *attempt
	state   proxystate.Profile
	log     *slog.Logger
}

var (
	_ device.PollPrompt = (*Prompt)(nil)
	_ authcode.Prompt   = (*Prompt)(nil)
)

// ShowCode implements [device.Prompt].
func (p *Prompt) ShowCode(_ context.Context, c device.Code) {
	page := pageOf(c.Hosts, c.Client)
	page.URL, page.Code, page.Plain, page.Expiry = c.VerificationURIComplete, c.UserCode, c.VerificationURI, c.Expiry
	if page.URL == "" {
		page.URL = c.VerificationURI
	}
	p.showPage(page)
}

// ShowPoll implements [device.PollPrompt]. It does nothing.
func (p *Prompt) ShowPoll(context.Context, device.Poll) {}

// Retry returns false: the next call of the tool starts a new sign-in.
func (p *Prompt) Retry(context.Context) bool { return false }

// Close does nothing.
func (p *Prompt) Close() error { return nil }

// ShowLink implements [authcode.Prompt].
func (p *Prompt) ShowLink(_ context.Context, l authcode.Link) {
	page := pageOf(l.Hosts, "")
	page.URL, page.Opened, page.Redirect = l.URL, l.Opened, l.Redirect
	p.showPage(page)
}

// Paste returns a text that the user pasted into a call of the tool. [authcode.Flow] calls
// it.
func (p *Prompt) Paste(ctx context.Context, rejected error) (string, error) {
	if rejected != nil {
		select {
		case p.attempt.pasteErr <- rejected:
		case <-time.After(pasteErrorWait): // the call that pasted it is gone
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	select {
	case text := <-p.attempt.pasted:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func pageOf(h flows.Hosts, client string) proxystate.Page {
	return proxystate.Page{Client: client, Server: h.Server, Issuer: h.Issuer, SignIn: h.SignIn, Warning: h.Warning()}
}

// showPage shows a page here and in the other proxies of the profile.
func (p *Prompt) showPage(page proxystate.Page) {
	p.attempt.show(page)
	if err := p.state.Show(page); err != nil {
		p.log.Warn("sign-ins are not shared with other proxies", "error", err)
	}
}

// sanitizePage returns a page that is safe to show: it may come from a file. It leaves out
// an address that oauth.CheckURL rejects.
func sanitizePage(page proxystate.Page) proxystate.Page {
	for _, address := range []*string{&page.URL, &page.Plain} {
		u, err := oauth.CheckURL(*address)
		if err != nil {
			*address = ""
			continue
		}
		*address = u.String()
	}
	for _, name := range []*string{&page.Code, &page.Client} {
		*name = oauth.Sanitize(*name, maxNameLength)
	}
	for _, text := range []*string{&page.Server, &page.Issuer, &page.SignIn, &page.Warning, &page.Redirect} {
		*text = oauth.Sanitize(*text, maxURLLength)
	}
	return page
}
