package ci

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// Note is a short message for people who watch a job.
type Note struct {
	Title string // one line
	Text  string // plain text of one or more lines
	URL   string // shown as a link if the provider can; "": none
}

// Announce shows a note while the step is still running: as an annotation if
// the provider shows annotations immediately, else in the log. On most
// providers anyone with access to the log can read it.
func (j Job) Announce(ctx context.Context, n Note) error {
	announce := j.Provider.behavior().announce
	if announce == nil {
		announce = printNote
	}
	if err := announce(ctx, j, n); err != nil {
		return fmt.Errorf("show a message in %v: %w", j.Provider, err)
	}
	return nil
}

// Summary adds a note to the summary page of the job. It returns ErrUnsupported
// if the provider has no such page.
func (j Job) Summary(ctx context.Context, n Note) error {
	summary := j.Provider.behavior().summary
	if summary == nil {
		return fmt.Errorf("%w: %v has no job summary", ErrUnsupported, j.Provider)
	}
	if err := summary(ctx, j, n); err != nil {
		return fmt.Errorf("write the job summary of %v: %w", j.Provider, err)
	}
	return nil
}

// printNote prints a note to the log, for providers without annotations. Only
// the title is at the beginning of a line.
func printNote(_ context.Context, j Job, n Note) error {
	_, err := fmt.Fprintf(j.log(), "%s\n", strings.Join(n.lines(), "\n    "))
	return err
}

// maxLive is the length, in bytes, up to which the runners of GitHub and Azure show a message while the step runs: they
// truncate it after 1024 characters (https://github.com/actions/runner/blob/main/src/Runner.Common/JobServerQueue.cs
// and
// https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Microsoft.VisualStudio.Services.Agent/JobServerQueue.cs).
const maxLive = 1000

// printLong prints a note line by line if its message would be truncated,
// because the URL is last.
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

// markdown returns the note as CommonMark. The text is in a code block whose
// fence is longer than any fence in the text.
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

// plainMarkdown escapes all ASCII punctuation (CommonMark §2.4).
var plainMarkdown = func() *strings.Replacer {
	var pairs []string
	for _, mark := range "\\`*_{}[]()<>#+-.!|~&:@\"'$^=/" {
		pairs = append(pairs, string(mark), `\`+string(mark))
	}
	return strings.NewReplacer(pairs...)
}()

// link returns a web URL in a form that is safe to print, or "" if it is not
// one.
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
