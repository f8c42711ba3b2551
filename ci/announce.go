package ci

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// Note is a short message to the people who watch a job.
type Note struct {
	Title string // one line
	Text  string // plain text; each line is shown as one
	URL   string // shown as a link where the provider can; "": none
}

// Announce shows a note while the step still runs, where the provider shows
// such things: as an annotation if it is shown at once, else in the log. On
// most providers all who may read the log can read it.
func (j Job) Announce(ctx context.Context, n Note) error {
	announce := j.Provider.behaviour().announce
	if announce == nil {
		announce = printNote
	}
	if err := announce(ctx, j, n); err != nil {
		return fmt.Errorf("show a message in %v: %w", j.Provider, err)
	}
	return nil
}

// Summary leaves a note on the page of the finished job. It returns
// ErrUnsupported where the provider has no such page.
func (j Job) Summary(ctx context.Context, n Note) error {
	summary := j.Provider.behaviour().summary
	if summary == nil {
		return fmt.Errorf("%w: %v has no job summary", ErrUnsupported, j.Provider)
	}
	if err := summary(ctx, j, n); err != nil {
		return fmt.Errorf("write the job summary of %v: %w", j.Provider, err)
	}
	return nil
}

// printNote is for the providers whose log is all that shows in time. Only the
// title stands at the beginning of a line.
func printNote(_ context.Context, j Job, n Note) error {
	_, err := fmt.Fprintf(j.log(), "%s\n", strings.Join(n.lines(), "\n    "))
	return err
}

// maxLive bounds what the runners of GitHub and Azure show of one message while
// the step runs: they cut it after 1024 characters
// (https://github.com/actions/runner/blob/main/src/Runner.Common/JobServerQueue.cs and
// https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Microsoft.VisualStudio.Services.Agent/JobServerQueue.cs).
const maxLive = 1000

// printLong prints a note line by line if its message would be cut, and with it
// the address that stands last.
func printLong(ctx context.Context, j Job, n Note, message string) error {
	if len(message) <= maxLive {
		return nil
	}
	return printNote(ctx, j, n)
}

// lines returns the note as escaped lines, the title first.
func (n Note) lines() []string { return append(escapeLines(Escape(n.Title)), n.body()...) }

// body returns the lines below the title.
func (n Note) body() []string {
	lines := escapeLines(n.Text)
	if u := link(n.URL); u != "" {
		lines = append(lines, u)
	}
	return lines
}

// markdown returns the note as CommonMark in which the text has no meaning:
// it stands in a fence longer than any in it.
func (n Note) markdown() string {
	var b strings.Builder
	if title := Escape(n.Title); title != "" {
		fmt.Fprintf(&b, "**%s**\n\n", plainMarkdown.Replace(title))
	}
	text := strings.Join(escapeLines(n.Text), "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if text != "" {
		fmt.Fprintf(&b, "%s\n%s\n%s\n", fence, text, fence)
	}
	if u := link(n.URL); u != "" {
		fmt.Fprintf(&b, "\n<%s>\n", u)
	}
	return b.String()
}

// plainMarkdown takes the meaning from every ASCII mark (CommonMark §2.4).
var plainMarkdown = func() *strings.Replacer {
	var pairs []string
	for _, mark := range "\\`*_{}[]()<>#+-.!|~&:@\"'$^=/" {
		pairs = append(pairs, string(mark), `\`+string(mark))
	}
	return strings.NewReplacer(pairs...)
}()

// link returns a web address in the form that is safe to print, or "".
func link(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	clean := u.String()
	if clean != Escape(clean) || strings.ContainsAny(clean, "<> ") {
		return ""
	}
	return clean
}
