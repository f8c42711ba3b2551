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

// CircleCI hides only what its settings hold, and reads $BASH_ENV as shell
// text before each later step: https://circleci.com/docs/guides/security/env-vars/.
// An id token for an audience of one's own comes from its command line, and is
// not hidden either:
// https://circleci.com/docs/guides/permissions-authentication/oidc-tokens-with-custom-claims/.
// No job summary was found in its documentation.
var circleCI = behaviour{
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
		return declared(j, "CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN")
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

// GitLab hides only variables marked so before the pipeline began: of one line,
// of 8 characters or more (https://docs.gitlab.com/ci/variables/#mask-a-cicd-variable).
// Its runner can read ::add-mask:: since 17.10, as an experiment, if its own
// settings say proxy_exec. A job cannot see that, and where they do not say so
// the command would put the secret into the log
// (https://gitlab.com/gitlab-org/gitlab-runner/-/issues/38464).
//
// Dotenv reports, which reach later jobs, are not for credentials: anyone who sees
// the pipeline can read them (https://docs.gitlab.com/ci/variables/dotenv_variables/).
// Id tokens are declared in the job's YAML
// (https://docs.gitlab.com/ci/secrets/id_token_authentication/). A job summary is
// asked for, not there: https://gitlab.com/gitlab-org/gitlab/-/issues/24764.
var gitlab = behaviour{
	title: "GitLab CI",
	idToken: func(_ context.Context, j Job, audience string) (string, error) {
		token, err := declared(j, tokenVariable(audience))
		if err != nil {
			return "", fmt.Errorf("%w: the job has no ID token; add `id_tokens: {%s: {aud: %q}}`",
				ErrUnsupported, explicitToken, cmp.Or(Escape(audience), "..."))
		}
		return token, nil
	},
	reserved: []string{"GITLAB_*", "CI_*"},
}

// tokenVariable is the name by which tools find a GitLab id token for an
// audience: upper case, all but letters and digits an underscore
// (https://docs.rs/ci-id/latest/ci_id/).
func tokenVariable(audience string) string {
	name := strings.Map(func(r rune) rune {
		if ascii.Alphanumeric(r) {
			return r
		}
		return '_'
	}, strings.ToUpper(audience))
	return name + "_ID_TOKEN"
}

// Bitbucket Pipelines hides only its secured variables
// (https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/)
// and prints what a step exports in the log of the next
// (https://www.atlassian.com/blog/bitbucket/easily-share-data-between-steps-in-bitbucket-pipelines).
// Id tokens: https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/;
// for up to 10 audiences of one's own:
// https://www.atlassian.com/blog/bitbucket/bitbucket-pipelines-oidc-now-supports-multiple-audiences.
// Its reports belong to a commit, for which a job would need another token;
// they are no job summary
// (https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/).
var bitbucket = behaviour{
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
		token, err := declared(j, "BITBUCKET_STEP_OIDC_TOKEN")
		if err != nil {
			return "", fmt.Errorf("%w: set the step's `oidc: true`, or `oidc: {audiences: [...]}`", err)
		}
		return token, nil
	},
	reserved: []string{"BITBUCKET_*"},
}

// TeamCity: https://www.jetbrains.com/help/teamcity/service-messages.html. A
// parameter must be in the build configuration already, and is hidden only if it
// is there with the type password, which a job cannot see
// (https://www.jetbrains.com/help/teamcity/typed-parameters.html). Messages are read
// from standard output; of standard error nothing is said.
//
// A progress message shows on the build's and the project's pages while the
// build runs, until the next one. No id token was found in the documentation; a
// plugin's can be given by the name of explicitToken.
var teamCity = behaviour{
	title: "TeamCity",
	export: func(_ context.Context, j Job, vars []Var) error {
		var b strings.Builder
		for _, v := range vars {
			// What stands between two percent signs is a reference to a parameter:
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

// teamCityValue escapes with a vertical bar, and all but ASCII by UTF-16 unit.
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

// Jenkins hides what withCredentials has bound, or what its Mask Passwords
// plugin was told in the job's settings; a step's output is no command to either
// (https://plugins.jenkins.io/credentials-binding/ and https://plugins.jenkins.io/mask-passwords/).
// The OpenID Connect Provider plugin gives an id token as such a credential, to
// be bound by the name of explicitToken
// (https://github.com/jenkinsci/oidc-provider-plugin).
var jenkins = behaviour{title: "Jenkins"}

// Travis CI hides only its secure variables
// (https://docs.travis-ci.com/user/best-practices-security/). No id token was
// found in its documentation.
var travis = behaviour{title: "Travis CI"}

// Woodpecker hides only the secrets of its store, and says that it cannot do
// so for others (https://woodpecker-ci.org/docs/usage/secrets). Its steps share
// the workspace's files alone. No id token was found in its documentation.
var woodpecker = behaviour{title: "Woodpecker"}

// Drone hides only the secrets that the step was given
// (https://github.com/drone/runner-go/blob/master/pipeline/runtime/replacer.go).
// Its steps share the workspace's files alone
// (https://docs.drone.io/pipeline/docker/syntax/workspace/). No id token was
// found in its documentation.
var drone = behaviour{title: "Drone"}
