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
var github = behavior{
	title:    "GitHub Actions",
	mask:     githubMask,
	ready:    func(j Job, _ []Var) error { return j.canAppendTo("GITHUB_ENV") },
	export:   githubExport,
	announce: githubAnnounce,
	summary:  githubSummary,
	idToken:  githubIDToken("permissions: id-token: write"),
	reserved: []string{"GITHUB_*", "RUNNER_*", "ACTIONS_*", "INPUT_*", "STATE_*"},
}

// Gitea and Forgejo support most of the same commands. Both print a notice without
// unescaping it, which would break the URL, so plain lines are used instead
// (https://gitea.com/gitea/runner/src/branch/main/internal/pkg/report/reporter.go and
// https://code.forgejo.org/forgejo/runner/src/branch/main/internal/pkg/report/reporter.go).
// Forgejo issues ID tokens as GitHub does; Gitea does not according to its documentation:
// https://forgejo.org/docs/next/user/actions/security-openid-connect.
var gitea = func() behavior {
	b := github
	b.title = "Gitea Actions"
	b.mask = giteaMask
	b.announce = nil
	b.idToken = githubIDToken("enable-openid-connect: true")
	b.reserved = append([]string{"GITEA_*", "FORGEJO_*"}, b.reserved...)
	return b
}()

// Escapes for a command's message and properties, which the runner unescapes.
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

// giteaMask masks escaped and unescaped values: Gitea's runner unescapes them,
// Forgejo's log masking does not.
func giteaMask(_ context.Context, j Job, lines []string) error {
	masks := githubMasks(lines)
	for _, line := range lines {
		if githubData.Replace(line) != line {
			masks += "::add-mask::" + line + "\n"
		}
	}
	return j.command(masks)
}

// githubExport writes each value between random delimiters that do not occur in
// it. It does not export to other jobs: the runner drops every job output with a
// masked value
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

// githubAnnounce writes a notice, which the log shows immediately. The step
// summary is shown only after the step has ended, which is too late for a code
// that the user has to enter.
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

// githubIDToken requests an ID token as actions/toolkit does, if the workflow has this
// setting: https://github.com/actions/toolkit/blob/main/packages/core/src/oidc-utils.ts.
func githubIDToken(setting string) func(context.Context, Job, string) (string, error) {
	return func(ctx context.Context, j Job, audience string) (string, error) {
		ask, token := j.Getenv(githubTokenURL), j.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
		if ask == "" || token == "" {
			return "", fmt.Errorf("%w: the job has no ID token; add `%s`", ErrUnsupported, setting)
		}
		if audience != "" {
			ask += "&audience=" + url.QueryEscape(audience)
		}
		var response struct{ Value string }
		err := j.requestIDToken(ctx, http.MethodGet, ask, token, &response)
		return response.Value, err
	}
}
