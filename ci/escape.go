package ci

import (
	"io"
	"strings"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// Escape returns text as one line that neither a provider nor a terminal
// interprets, at any position in a line:
//
//   - control, bidi and zero-width characters become spaces, which ends
//     GitLab's and Travis's section marks, Jenkins's console notes and Drone's
//     cards too
//     (https://docs.gitlab.com/ci/jobs/job_logs/,
//     https://github.com/drone/runner-go/blob/master/livelog/extractor/writer.go);
//   - "##" is opened to "# #", because `##[` (GitHub), `##vso[` (Azure) and
//     `##teamcity[` are found in the middle of a line as well;
//   - "::add-mask" is opened to ": :add-mask", which some GitLab runners read,
//     it is not documented where in a line
//     (https://gitlab.com/gitlab-org/gitlab-runner/-/issues/38464);
//   - at the start, `::` (GitHub) and the `---`, `+++`, `~~~` and `^^^` of
//     Buildkite's groups are led by "| ".
//
// GitHub's ::stop-commands:: is not used, because it also disables the masks of
// all other processes of the step.
func Escape(text string) string {
	text = strings.Map(visible, text)
	for strings.Contains(text, "##") {
		text = strings.ReplaceAll(text, "##", "# #")
	}
	text = strings.TrimSpace(strings.ReplaceAll(text, "::add-mask", ": :add-mask"))
	for _, lead := range []string{"::", "---", "+++", "~~~", "^^^"} {
		if strings.HasPrefix(text, lead) {
			return "| " + text
		}
	}
	return text
}

func visible(r rune) rune {
	if !printable.Rune(r) {
		return ' '
	}
	return r
}

// escapeLines escapes each line of text and drops empty lines.
func escapeLines(text string) []string {
	var lines []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = Escape(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Log is a writer that escapes all lines except their leading spaces. Use it
// for all output that is not a command to the provider. Each Write must consist
// of whole lines.
type Log struct{ W io.Writer }

// Write implements io.Writer.
func (l Log) Write(p []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(p)) {
		text, end := strings.CutSuffix(line, "\n")
		b.WriteString(text[:len(text)-len(strings.TrimLeft(text, " "))] + Escape(text))
		if end {
			b.WriteByte('\n')
		}
	}
	if _, err := io.WriteString(l.W, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}
