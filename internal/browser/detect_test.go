package browser_test

import (
	"slices"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/browser"
)

// TestFlowsAndCIAgree: package flows offers no interactive browser exactly where
// package ci detects a job.
func TestFlowsAndCIAgree(t *testing.T) {
	for _, variable := range []string{
		"GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "CIRCLECI", "BUILDKITE", "JENKINS_URL", "BITBUCKET_BUILD_NUMBER",
		"BITBUCKET_COMMIT", "TEAMCITY_VERSION", "TRAVIS", "DRONE", "CI", "CONTINUOUS_INTEGRATION", "CODEBUILD_BUILD_ID",
	} {
		for _, value := range []string{"1", "true", "x", "", "0", "false", "no", "No"} {
			getenv := func(name string) string { return map[string]string{variable: value}[name] }
			inJob := ci.Detect(getenv) != ci.None
			d := flows.Detect(browser.Environment(getenv))
			if waits := slices.Contains(d.Order, "paste") || d.Browser; waits == inJob {
				t.Errorf("%s=%q: CI job %v, flows %q", variable, value, inJob, d.Order)
			}
		}
	}
}
