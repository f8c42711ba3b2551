package signin

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// ciPrompt shows a code by the CI provider's announcement while the step waits.
type ciPrompt struct {
	terminal.DevicePrompt // plain text, for everything except the code
	job                   ci.Job
}

// ShowCode falls back to the log.
func (p ciPrompt) ShowCode(ctx context.Context, c device.Code) {
	if err := p.job.Announce(ctx, codeNote(c)); err != nil {
		p.DevicePrompt.ShowCode(ctx, c)
	}
}

func codeNote(c device.Code) ci.Note {
	text := []string{
		fmt.Sprintf("Enter the code %s at %s", c.UserCode, c.VerificationURI),
		ci.Escape(terminal.Parties(oauth.Sanitize(c.Client, terminal.MaxClient), c.Hosts)),
	}
	for _, line := range terminal.HostWarning(c.Hosts) {
		text = append(text, ci.Escape(line))
	}
	text = append(text, "Approve it only if you started this job.")
	if !c.Expiry.IsZero() {
		text = append(text, "Waiting until "+c.Expiry.UTC().Format(time.RFC3339)+".")
	}
	return ci.Note{Title: "Sign-in to " + hostOf(c.Server) + " needs your approval", Text: strings.Join(text, "\n"), URL: c.VerificationURIComplete}
}

// hostOf returns the host of a URL, safe to display.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "(unknown)"
	}
	return ci.Escape(oauth.Sanitize(u.Host, 255))
}

// Summarize writes the signed-in account to the summary page of the job. The
// sign-in does not depend on it: the caller logs an error.
func (e Place) Summarize(ctx context.Context, c mcplogin.Credential, who ci.Identity, expires string) error {
	if e.Job == nil || !e.Job.Provider.ReadsErr() { // standard output is for data
		return nil
	}
	return e.Job.Summary(ctx, ci.Note{
		Title: "Signed in to " + hostOf(c.Server),
		Text:  fmt.Sprintf("as %s\nby %s, profile %s, token %s", who, c.Flow, c.Profile, expires),
	})
}
