package proxy

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/proxystate"
	"github.com/mcp-login/mcp-login/oauth"
)

// signedInText says who is signed in. Some clients show new tools only in the next
// conversation.
func (s *SignIn) signedInText(c mcplogin.Credential, server string) string {
	who := ""
	if s.Account != nil {
		who = s.Account(c)
	}
	if who != "" {
		who = " as " + oauth.Sanitize(who, maxURLLength)
	}
	return fmt.Sprintf("Signed in to %s%s. The tools of the server are available. If you do not see them, ask the user to start a new conversation.", host(server), who)
}

// elicitationText asks the user to open a page. The server and the code come first, because
// Claude Code shows only one line of it.
func (s *SignIn) elicitationText(p proxystate.Page) string {
	parts := []string{"Sign in to " + p.Server}
	if p.Code != "" {
		parts[0] += " with the code " + p.Code
	}
	parts[0] += "."
	if p.Code != "" && !hasCode(p) {
		parts = append(parts, "Enter the code on the page.")
	}
	parts = append(parts, "Requested by "+s.requester(p)+".")
	return strings.Join(append(parts, s.details(p)...), " ")
}

// hasCode reports whether the page's URL contains the code.
func hasCode(p proxystate.Page) bool { return p.Code != "" && p.Plain != "" && p.Plain != p.URL }

// approvalText says where to sign in, for clients that cannot open a page.
func (s *SignIn) approvalText(p proxystate.Page) string {
	if p.URL == "" {
		return s.pendingText(p)
	}
	lines := []string{fmt.Sprintf("%s wants to sign the user in to %s. Show the user these lines:", s.requester(p), p.Server), ""}
	switch {
	case p.Opened:
		lines = append(lines, "Your browser was opened to sign in. If it shows nothing, open", "    "+p.URL)
	case hasCode(p):
		lines = append(lines, "On any device, open", "    "+p.URL, "and check that it shows the code "+p.Code+", or open "+p.Plain+" and enter the code.")
	case p.Code != "":
		lines = append(lines, "On any device, open", "    "+p.URL, "and enter the code "+p.Code+".")
	default:
		lines = append(lines, "In a browser, open", "    "+p.URL)
	}
	lines = append(lines, s.details(p)...)
	lines = append(lines, "")
	if p.Redirect != "" && !p.Opened {
		lines = append(lines, fmt.Sprintf("If the last page does not load, ask the user to copy its URL from the browser, and call %s with it as redirect_url.", s.toolName()))
	}
	return strings.Join(append(lines, fmt.Sprintf("The approval is pending. Call %s again to wait for it.", s.toolName())), "\n")
}

// pendingText says that the user has not approved yet.
func (s *SignIn) pendingText(p proxystate.Page) string {
	if p.URL == "" {
		return fmt.Sprintf("The sign-in is pending. Call %s again to wait for it.", s.toolName())
	}
	return "The user has not approved yet. " + s.approvalText(p)
}

// details are what the user must know before approving.
func (s *SignIn) details(p proxystate.Page) []string {
	var lines []string
	if !p.Expiry.IsZero() {
		lines = append(lines, fmt.Sprintf("The code is valid for %s, until %s.", durationText(time.Until(p.Expiry)), p.Expiry.UTC().Format("15:04:05 MST")))
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

// durationText formats a duration in minutes or, if it is short, in seconds.
func durationText(left time.Duration) string {
	if left = max(left, 0); left >= 2*time.Minute {
		return printable.Count(int(left.Round(time.Minute).Minutes()), "minute")
	}
	return printable.Count(int(left.Seconds()), "second")
}

// requester names the program that requests the sign-in.
func (s *SignIn) requester(p proxystate.Page) string {
	who := "mcp-login"
	if p.Client != "" && p.Client != who {
		who += fmt.Sprintf(" (as client %q)", p.Client)
	}
	if s.Machine != "" {
		who += " on " + oauth.Sanitize(s.Machine, maxNameLength)
	}
	return who
}

// host returns the host of a URL, safe to show.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return oauth.Sanitize(raw, maxNameLength)
	}
	return oauth.Sanitize(u.Host, maxNameLength)
}
