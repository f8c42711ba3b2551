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
var github = behaviour{
	title:    "GitHub Actions",
	mask:     githubMask,
	handOn:   githubHandOn,
	announce: githubAnnounce,
	summary:  githubSummary,
	idToken:  githubIDToken,
	reserved: []string{"GITHUB_*", "RUNNER_*", "ACTIONS_*", "INPUT_*", "STATE_*"},
}

// Gitea and Forgejo run the same commands:
// https://docs.gitea.com/usage/actions/comparison.
var gitea = func() behaviour {
	b := github
	b.title = "Gitea Actions"
	b.reserved = append([]string{"GITEA_*", "FORGEJO_*"}, b.reserved...)
	return b
}()

// What the runner undoes in a command's message and in its properties.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func githubMask(_ context.Context, j Job, lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "::add-mask::%s\n", githubData.Replace(line))
	}
	_, err := fmt.Fprint(j.Out, b.String())
	return err
}

// githubHandOn writes every value between delimiters that it cannot hold: 130
// random bits each, drawn again should one occur all the same.
func githubHandOn(_ context.Context, j Job, vars []Var) error {
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

// A notice is written to the log at once, of standard error as well
// (https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/ScriptHandler.cs).
// The step summary is shown only when the step has ended, too late for a code
// that waits for a person.
func githubAnnounce(ctx context.Context, j Job, n Note) error {
	text := strings.Join(n.body(), "\n")
	if err := printLong(ctx, j, n, text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(j.Out, "::notice title=%s::%s\n", githubProperty.Replace(Escape(n.Title)), githubData.Replace(text))
	return err
}

func githubSummary(_ context.Context, j Job, n Note) error {
	return j.appendTo("GITHUB_STEP_SUMMARY", n.markdown()+"\n")
}

// githubIDToken asks as actions/toolkit does:
// https://github.com/actions/toolkit/blob/main/packages/core/src/oidc-utils.ts.
func githubIDToken(ctx context.Context, j Job, audience string) (string, error) {
	ask, token := j.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), j.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	if ask == "" || token == "" {
		return "", fmt.Errorf("%w: the job has no id token; give it `permissions: id-token: write`", ErrUnsupported)
	}
	if audience != "" {
		ask += "&audience=" + url.QueryEscape(audience)
	}
	var answer struct{ Value string }
	err := j.ask(ctx, http.MethodGet, ask, token, &answer)
	return answer.Value, err
}
