package ci

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// GitHub Actions. Commands and files:
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands.
// How the runner reads them:
// https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs and
// https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs.
// It reads standard error like standard output:
// https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/ScriptHandler.cs.
var github = behaviour{
	title:    "GitHub Actions",
	mask:     githubMask,
	ready:    func(j Job, _ []Var) error { return j.canAppendTo("GITHUB_ENV") },
	export:   githubExport,
	announce: githubAnnounce,
	summary:  githubSummary,
	idToken:  githubIDToken("permissions: id-token: write"),
	reserved: []string{"GITHUB_*", "RUNNER_*", "ACTIONS_*", "INPUT_*", "STATE_*"},
}

// Gitea and Forgejo run most of the same commands. Both print a notice just as
// it came, with its escapes in the address to open, so that the plain lines are
// what their log shows best
// (https://gitea.com/gitea/runner/src/branch/main/internal/pkg/report/reporter.go and
// https://code.forgejo.org/forgejo/runner/src/branch/main/internal/pkg/report/reporter.go).
// Forgejo gives id tokens as GitHub does; of Gitea no such thing was found:
// https://forgejo.org/docs/next/user/actions/security-openid-connect.
var gitea = func() behaviour {
	b := github
	b.title = "Gitea Actions"
	b.mask = giteaMask
	b.announce = nil
	b.idToken = githubIDToken("enable-openid-connect: true")
	b.reserved = append([]string{"GITEA_*", "FORGEJO_*"}, b.reserved...)
	return b
}()

// What the runner undoes in a command's message and in its properties.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func githubMask(_ context.Context, j Job, lines []string) error {
	return j.command(githubMasks(lines))
}

func githubMasks(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "::add-mask::%s\n", githubData.Replace(line))
	}
	return b.String()
}

// giteaMask also gives what is escaped as it is: Gitea's runner undoes the
// escapes, the part of Forgejo's that hides values in the log does not.
func giteaMask(_ context.Context, j Job, lines []string) error {
	masks := githubMasks(lines)
	for _, line := range lines {
		if githubData.Replace(line) != line {
			masks += "::add-mask::" + line + "\n"
		}
	}
	return j.command(masks)
}

// githubExport writes every value between delimiters that it cannot hold: 130
// random bits each, drawn again should one occur all the same. Another job
// would not get it: the runner leaves out every job output with a masked value
// (https://github.com/actions/runner/blob/main/src/Runner.Worker/JobExtension.cs).
func githubExport(_ context.Context, j Job, vars []Var) error {
	var b strings.Builder
	for _, v := range vars {
		end := "mcp_login_" + rand.Text()
		for strings.Contains(v.Value, end) {
			end = "mcp_login_" + rand.Text()
		}
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", v.Name, end, v.Value, end)
	}
	return j.appendTo("GITHUB_ENV", b.String())
}

// A notice is written to the log at once.
// The step summary is shown only when the step has ended, too late for a code
// that waits for a person.
func githubAnnounce(ctx context.Context, j Job, n Note) error {
	text := strings.Join(n.body(), "\n")
	if err := printLong(ctx, j, n, text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(j.log(), "::notice title=%s::%s\n", githubProperty.Replace(Escape(n.Title)), githubData.Replace(text))
	return err
}

func githubSummary(_ context.Context, j Job, n Note) error {
	return j.appendTo("GITHUB_STEP_SUMMARY", n.markdown()+"\n")
}

// githubIDToken asks as actions/toolkit does, if the workflow allows it by this
// setting: https://github.com/actions/toolkit/blob/main/packages/core/src/oidc-utils.ts.
func githubIDToken(setting string) func(context.Context, Job, string) (string, error) {
	return func(ctx context.Context, j Job, audience string) (string, error) {
		ask, token := j.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), j.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
		if ask == "" || token == "" {
			return "", fmt.Errorf("%w: the job has no ID token; add `%s`", ErrUnsupported, setting)
		}
		if audience != "" {
			ask += "&audience=" + url.QueryEscape(audience)
		}
		var answer struct{ Value string }
		err := j.ask(ctx, http.MethodGet, ask, token, &answer)
		return answer.Value, err
	}
}
