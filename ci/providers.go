package ci

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// CircleCI masks only values in its settings, and evaluates $BASH_ENV as shell text before
// each later step: https://circleci.com/docs/guides/security/env-vars/. An ID token for a
// custom audience comes from its command-line tool, and is not masked either:
// https://circleci.com/docs/guides/permissions-authentication/oidc-tokens-with-custom-claims/.
// Its documentation has no job summary.
var circleCI = behavior{
	title:    "CircleCI",
	ready:    func(j Job, _ []Var) error { return j.canAppendTo("BASH_ENV") },
	export:   circleExport,
	idToken:  circleIDToken,
	reserved: []string{"CIRCLE_*", "CIRCLECI"},
}

func circleExport(_ context.Context, j Job, vars []Var) error {
	var b strings.Builder
	if err := writeShell(&b, vars); err != nil {
		return err
	}
	return j.appendTo("BASH_ENV", b.String())
}

func circleIDToken(ctx context.Context, j Job, audience string) (string, error) {
	if audience == "" {
		return tokenFromEnv(j, "CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN")
	}
	claims, err := json.Marshal(map[string]string{"aud": audience})
	if err != nil {
		return "", err
	}
	out, err := j.run(ctx, "", "circleci", "run", "oidc", "get", "--claims", string(claims))
	if err != nil {
		return "", fmt.Errorf("request an ID token from circleci: %w", err)
	}
	return strings.TrimSpace(out), nil
}

// GitLab masks only variables that were marked as masked before the pipeline began:
// single lines of at least 8 characters
// (https://docs.gitlab.com/ci/variables/#mask-a-cicd-variable). Since 17.10 its runner
// supports ::add-mask:: as an experiment, if its settings enable proxy_exec. A job
// cannot detect that, and without it the command would print the secret to the log
// (https://gitlab.com/gitlab-org/gitlab-runner/-/issues/38464).
//
// Dotenv reports, which pass variables to later jobs, must not contain credentials:
// anyone with access to the pipeline can read them
// (https://docs.gitlab.com/ci/variables/dotenv_variables/). ID tokens are declared in
// the job's YAML (https://docs.gitlab.com/ci/secrets/id_token_authentication/). Job
// summaries are a feature request:
// https://gitlab.com/gitlab-org/gitlab/-/issues/24764.
var gitlab = behavior{
	title: "GitLab CI",
	idToken: func(_ context.Context, j Job, audience string) (string, error) {
		token, err := tokenFromEnv(j, tokenVariable(audience))
		if err != nil {
			return "", fmt.Errorf("%w: the job has no ID token; add `id_tokens: {%s: {aud: %q}}`",
				ErrUnsupported, explicitToken, cmp.Or(Escape(audience), "..."))
		}
		return token, nil
	},
	reserved: []string{"GITLAB_*", "CI_*"},
}

// tokenVariable returns the conventional variable name of a GitLab ID token for
// an audience: upper case, with underscores for everything but letters and
// digits (https://docs.rs/ci-id/latest/ci_id/).
func tokenVariable(audience string) string {
	name := strings.Map(func(r rune) rune {
		if ascii.Alphanumeric(r) {
			return r
		}
		return '_'
	}, strings.ToUpper(audience))
	return name + "_ID_TOKEN"
}

// Bitbucket Pipelines masks only its secured variables
// (https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/) and prints the variables that a step
// exports in the log of the next step
// (https://www.atlassian.com/blog/bitbucket/easily-share-data-between-steps-in-bitbucket-pipelines). ID tokens:
// https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/; for up to
// 10 custom audiences:
// https://www.atlassian.com/blog/bitbucket/bitbucket-pipelines-oidc-now-supports-multiple-audiences. Its reports
// belong to a commit and require another token, so they cannot serve as a job summary
// (https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/).
var bitbucket = behavior{
	title: "Bitbucket Pipelines",
	ready: func(j Job, _ []Var) error { return j.canAppendTo("BITBUCKET_PIPELINES_VARIABLES_PATH") },
	export: func(_ context.Context, j Job, vars []Var) error {
		var b strings.Builder
		for _, v := range vars {
			if err := oneLine(v); err != nil {
				return err
			}
			fmt.Fprintf(&b, "%s=%s\n", v.Name, v.Value)
		}
		return j.appendTo("BITBUCKET_PIPELINES_VARIABLES_PATH", b.String())
	},
	idToken: func(_ context.Context, j Job, _ string) (string, error) {
		token, err := tokenFromEnv(j, "BITBUCKET_STEP_OIDC_TOKEN")
		if err != nil {
			return "", fmt.Errorf("%w: set the step's `oidc: true`, or `oidc: {audiences: [...]}`", err)
		}
		return token, nil
	},
	reserved: []string{"BITBUCKET_*"},
}

// TeamCity: https://www.jetbrains.com/help/teamcity/service-messages.html. A
// parameter must already exist in the build configuration, and is masked only if its
// type there is password, which a job cannot detect
// (https://www.jetbrains.com/help/teamcity/typed-parameters.html). Messages are read
// from standard output; the documentation does not mention standard error.
//
// A progress message is shown on the build's and the project's pages while the
// build runs, until the next one. The documentation has no ID tokens; one from
// a plugin can be set as explicitToken.
var teamCity = behavior{
	title: "TeamCity",
	export: func(_ context.Context, j Job, vars []Var) error {
		var b strings.Builder
		for _, v := range vars {
			// Text between two percent signs is a reference to a parameter:
			// https://www.jetbrains.com/help/teamcity/configuring-build-parameters.html.
			if strings.Count(v.Value, "%") > 1 {
				return fmt.Errorf("%w: the value of %s has two percent signs, which form a reference", ErrVariable, v.Name)
			}
			fmt.Fprintf(&b, "##teamcity[setParameter name='%s' value='%s']\n", teamCityValue("env."+v.Name), teamCityValue(v.Value))
		}
		return j.command(b.String())
	},
	announce: func(_ context.Context, j Job, n Note) error {
		lines := n.lines()
		_, err := fmt.Fprintf(j.log(), "##teamcity[message text='%s' status='WARNING']\n##teamcity[progressMessage '%s']\n",
			teamCityValue(strings.Join(lines, "\n")), teamCityValue(strings.Join(lines[:min(len(lines), 2)], ": ")))
		return err
	},
	reserved: []string{"TEAMCITY_*"},
}

// teamCityValue escapes special characters by a vertical bar, and non-ASCII
// characters by their UTF-16 units.
func teamCityValue(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("|'[]", r):
			b.WriteString("|" + string(r))
		case r == '\n':
			b.WriteString("|n")
		case r == '\r':
			b.WriteString("|r")
		case r < 0x80:
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "|0x%04X", unit)
			}
		}
	}
	return b.String()
}

// Jenkins masks values bound by withCredentials, and those that the Mask Passwords plugin has in
// the job's settings; neither reads commands from a step's output
// (https://plugins.jenkins.io/credentials-binding/ and https://plugins.jenkins.io/mask-passwords/).
// The OpenID Connect Provider plugin provides an ID token as a credential, which can be bound to
// explicitToken (https://github.com/jenkinsci/oidc-provider-plugin).
var jenkins = behavior{title: "Jenkins"}

// Travis CI masks only its secure variables
// (https://docs.travis-ci.com/user/best-practices-security/). Its documentation has no
// ID tokens.
var travis = behavior{title: "Travis CI"}

// Woodpecker masks only the secrets in its store, and no others
// (https://woodpecker-ci.org/docs/usage/secrets). Its steps share only the
// files of the workspace. Its documentation has no ID tokens.
var woodpecker = behavior{title: "Woodpecker"}

// Drone masks only the secrets that the step declares
// (https://github.com/drone/runner-go/blob/master/pipeline/runtime/replacer.go).
// Its steps share only the files of the workspace
// (https://docs.drone.io/pipeline/docker/syntax/workspace/). Its documentation has no
// ID tokens.
var drone = behavior{title: "Drone"}
