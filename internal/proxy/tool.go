package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/proxystate"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	// toolName is the tool to sign in, unless the server has one of that name.
	toolName      = "sign_in"
	otherToolName = "mcp_login_sign_in"
	// answerWithin is how long a call may take that waits for a person: four clients
	// give up after a minute.
	answerWithin = 50 * time.Second
)

// result is the result of a tool.
func result(isError bool, text string) map[string]any {
	r := map[string]any{"content": []any{map[string]string{"type": "text", "text": text}}}
	if isError {
		r["isError"] = true
	}
	return r
}

// name returns the name of the tool.
func (s *SignIn) name() string {
	if has(s.list(listTools), toolName) {
		return otherToolName
	}
	return toolName
}

// isTool reports whether a call is one of the tool to sign in.
func (s *SignIn) isTool(name string) bool {
	return (name == toolName || name == otherToolName) && name == s.name()
}

// tool describes the tool to sign in.
func (s *SignIn) tool(server string) json.RawMessage {
	return encoded(map[string]any{
		"name":  s.name(),
		"title": "Sign in to " + host(server),
		"description": "Sign in to the MCP server " + host(server) + ". Show the user the link and the code from the result exactly as they are. " +
			"If the result says that the approval is pending, call this tool again; it waits for the user. Other tools are available after the sign-in.",
		"inputSchema": map[string]any{"type": "object", "properties": map[string]any{
			"redirect_url": map[string]string{
				"type":        "string",
				"description": "The URL of the last page in the user's browser, if the result asked for it and the user pasted it.",
			},
		}},
		"annotations": map[string]any{"title": "Sign in", "readOnlyHint": false, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
	})
}

// instructions say to a model what to do first.
func (s *SignIn) instructions(server string) string {
	return fmt.Sprintf("The user is not signed in to %s yet. Call the tool %s before any other; until then, the lists of tools and resources may be incomplete.\n\n", host(server), s.name())
}

// lead is how a call that waits for a sign-in goes on.
type lead int

const (
	waiting  lead = iota // for the user: the call ends with a text that says so
	broken               // the sign-in failed: the call ends with the reason
	asking               // the call was answered by a request for input
	signedIn             // the call can be served
)

// serveSignIn answers a call of the tool to sign in.
func (b *bridge) serveSignIn(ctx context.Context, c *call) {
	if _, ok := b.SignIn.signedIn(ctx, b.Session); !ok && !b.leadThrough(ctx, c) {
		return
	}
	cred, _ := b.SignIn.signedIn(ctx, b.Session) // it was there a moment ago
	b.reply(c, result(false, b.SignIn.welcome(cred, b.Server)))
}

// leadThrough leads the client's user through a sign-in, and reports whether they
// are signed in. If not, the call has its answer.
func (b *bridge) leadThrough(ctx context.Context, c *call) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	defer context.AfterFunc(b.closing, cancel)()
	b.await()
	isOwn := b.SignIn.isTool(c.Params.Name)
	text, how := b.lead(ctx, c, b.SignIn.join(b.lasting, b.Upstream), isOwn)
	switch how {
	case signedIn:
		b.announce()
		return true
	case waiting, broken:
		b.reply(c, result(how == broken || !isOwn, text))
	}
	return false
}

// lead tells the client's user of a sign-in and waits for it.
func (b *bridge) lead(ctx context.Context, c *call, a *attempt, isOwn bool) (text string, how lead) {
	select {
	case <-a.shown.passed:
	case <-a.ended.passed:
		return b.ending(a)
	case <-ctx.Done():
		return b.SignIn.pending(proxystate.Page{}), waiting
	}
	if pasted := c.Params.pasted(); pasted != "" && isOwn {
		if err := a.paste(ctx, pasted); err != nil {
			return fmt.Sprintf("The URL was not accepted: %s.\n%s", err, b.SignIn.guide(safe(a.current()))), broken
		}
	}
	if how := b.notifyUser(ctx, c, a); how != signedIn {
		text = b.SignIn.guide(safe(a.current()))
		if a.after != nil {
			text = "The last sign-in failed: " + b.explain(a.after) + "\n" + text
		}
		return text, how
	}
	select {
	case <-a.ended.passed:
		return b.ending(a)
	case <-ctx.Done():
		return b.SignIn.pending(safe(a.current())), waiting
	}
}

// notifyUser tells the client's user once where to approve. It returns signedIn where
// the call can wait for that.
func (b *bridge) notifyUser(ctx context.Context, c *call, a *attempt) lead {
	shown := safe(a.current())
	switch answered := answeredInput(c.message, a); {
	case answered == accepted:
		return signedIn
	case answered != "":
		return waiting // nobody may be there to see a page
	case shown.Opened || !b.asked.first(a.id):
		return signedIn // the user knows
	case shown.URL == "" || !opensPages(c.message, b.wire.greeted()):
		return waiting
	case c.Params.Meta.Version >= stateless:
		b.wantInput(c, a, shown)
		return asking
	}
	if action := b.askHere(ctx, a, shown); action != accepted && action != "" {
		return waiting
	}
	return signedIn
}

// ending is what a call ends with when the sign-in is over.
func (b *bridge) ending(a *attempt) (text string, how lead) {
	err := a.outcome()
	switch {
	case err == nil:
		return "", signedIn
	case errors.Is(err, errElsewhere):
		text = "mcp-login: " + err.Error()
	default:
		text = b.explain(err)
	}
	return fmt.Sprintf("%s\nCall %s to start again.", text, b.SignIn.name()), broken
}

// welcome says who is signed in.
func (s *SignIn) welcome(c mcplogin.Credential, server string) string {
	who := ""
	if s.Account != nil {
		who = s.Account(c)
	}
	if who != "" {
		who = " as " + oauth.Sanitize(who, maxPage)
	}
	return fmt.Sprintf("Signed in to %s%s. The tools of the server are available.", host(server), who)
}

// pasted returns the text that the user pasted into a call of the tool.
func (p parameters) pasted() string {
	var text string
	_ = json.Unmarshal(p.Arguments["redirect_url"], &text) // another type than expected: none
	return text
}

// question asks to open a page.
func (s *SignIn) question(p proxystate.Page) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s wants to sign you in to %s.", s.asker(p), p.Server)
	if p.Code != "" {
		fmt.Fprintf(&b, " Open the page and check that it shows the code %s.", p.Code)
	}
	for _, line := range s.facts(p) {
		b.WriteString(" " + line)
	}
	return b.String()
}

// guide says where to sign in, for clients that cannot open a page.
func (s *SignIn) guide(p proxystate.Page) string {
	if p.URL == "" {
		return s.pending(p)
	}
	lines := []string{fmt.Sprintf("%s wants to sign the user in to %s. Show the user these lines:", s.asker(p), p.Server), ""}
	switch {
	case p.Opened:
		lines = append(lines, "Your browser was opened to sign in. If it shows nothing, open", "    "+p.URL)
	case p.Code != "" && p.Plain != "" && p.Plain != p.URL:
		lines = append(lines, "On any device, open", "    "+p.URL, "and check that it shows the code "+p.Code+", or open "+p.Plain+" and enter the code.")
	case p.Code != "":
		lines = append(lines, "On any device, open", "    "+p.URL, "and enter the code "+p.Code+".")
	default:
		lines = append(lines, "In a browser, open", "    "+p.URL)
	}
	lines = append(lines, s.facts(p)...)
	lines = append(lines, "")
	if p.Redirect != "" && !p.Opened {
		lines = append(lines, fmt.Sprintf("If the last page does not load, ask the user to copy its URL from the browser, and call %s with it as redirect_url.", s.name()))
	}
	return strings.Join(append(lines, fmt.Sprintf("The approval is pending. Call %s again to wait for it.", s.name())), "\n")
}

// pending says that the user has not approved yet.
func (s *SignIn) pending(p proxystate.Page) string {
	if p.URL == "" {
		return fmt.Sprintf("The sign-in is pending. Call %s again to wait for it.", s.name())
	}
	return "The user has not approved yet. " + s.guide(p)
}

// facts are what a person must know before approving.
func (s *SignIn) facts(p proxystate.Page) []string {
	var lines []string
	if !p.Expiry.IsZero() {
		lines = append(lines, fmt.Sprintf("The code is valid for %s, until %s.", lifetime(time.Until(p.Expiry)), p.Expiry.UTC().Format("15:04:05 MST")))
	}
	if p.SignIn != "" && p.Issuer != "" && p.SignIn != p.Issuer {
		lines = append(lines, fmt.Sprintf("You sign in at %s; the token issuer is %s.", p.SignIn, p.Issuer))
	}
	if p.Warning != "" {
		lines = append(lines, "Warning: "+p.Warning+".")
	}
	if p.Code != "" {
		return append(lines, "Approve only if you started this sign-in yourself and the page shows this code.")
	}
	return append(lines, "Approve only if you started this sign-in yourself.")
}

// lifetime says a time in minutes or, if there is little left, in seconds.
func lifetime(left time.Duration) string {
	if left = max(left, 0); left >= 2*time.Minute {
		return fmt.Sprintf("%d minutes", int(left.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%d seconds", int(left.Seconds()))
}

// asker names who wants the sign-in.
func (s *SignIn) asker(p proxystate.Page) string {
	who := "mcp-login"
	if p.Client != "" && p.Client != who {
		who += fmt.Sprintf(" (as client %q)", p.Client)
	}
	if s.Machine != "" {
		who += " on " + oauth.Sanitize(s.Machine, maxName)
	}
	return who
}

// host returns the host of a URL, as it can be shown.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return oauth.Sanitize(raw, maxName)
	}
	return oauth.Sanitize(u.Host, maxName)
}
