// Package ci supports the CI system that a job runs in: it masks values in the
// log, exports variables to later steps, shows messages while the step is
// running, and gets the job's ID token.
//
// Most programs need [Detect] and a [Job]:
//
//	job := ci.Job{Provider: ci.Detect(os.Getenv), Getenv: os.Getenv, Out: os.Stdout, Err: os.Stderr}
//	err := job.Export(ctx, vars) // masks the secrets first
//
// [Job.Announce] shows a message, [Job.IDToken] gets the job's ID token, and
// [Escape] makes untrusted text safe to print in any provider's log.
//
// # Security
//
// The runner interprets the log: every line may be a command. This package
// escapes values and servers' texts so that they cannot become commands. A
// secret is masked before it is exported. If the provider cannot mask at run
// time, Export returns an [UnmaskedError], and if a mask would not reach the
// runner, a [CapturedError]. Secrets never appear in an argument list or in an
// error.
//
// # Stability
//
// The names of providers are stable. The implementation of a provider follows
// its documentation, which is linked in the code.
package ci

import (
	"errors"
	"strings"
)

// The errors that callers branch on with errors.Is.
var (
	// ErrUnsupported: the provider has no such feature, or it is not enabled
	// for this job. The text says what is missing.
	ErrUnsupported = errors.New("not available here")
	// ErrVariable: a variable's name is reserved, or its value cannot be
	// exported unchanged.
	ErrVariable = errors.New("variable cannot be exported")
	// ErrIdentity: an ID token is for another audience, issuer or subject, or
	// cannot be parsed.
	ErrIdentity = errors.New("unexpected identity")
)

// Provider names a CI system.
type Provider string

// The providers that [Detect] recognizes.
const (
	None       Provider = "" // not a CI job
	GitHub     Provider = "github"
	Gitea      Provider = "gitea" // and Forgejo
	GitLab     Provider = "gitlab"
	Azure      Provider = "azure"
	CircleCI   Provider = "circleci"
	Buildkite  Provider = "buildkite"
	Jenkins    Provider = "jenkins"
	Bitbucket  Provider = "bitbucket"
	TeamCity   Provider = "teamcity"
	Travis     Provider = "travis"
	Woodpecker Provider = "woodpecker"
	Drone      Provider = "drone"
	Generic    Provider = "ci" // a CI job of an unknown provider
)

// signs lists the variables that each provider sets in a job, most specific
// first: Gitea's runner also sets the variables of GitHub, and old Woodpecker
// those of Drone. The variables are from
// https://github.com/watson/ci-info/blob/master/vendors.json.
var signs = []struct {
	provider Provider
	set      []string // all of these, NAME or NAME=VALUE
}{
	{Gitea, []string{"GITEA_ACTIONS"}},
	{Gitea, []string{"FORGEJO_ACTIONS"}},
	{GitHub, []string{"GITHUB_ACTIONS"}},
	{GitLab, []string{"GITLAB_CI"}},
	{Azure, []string{"TF_BUILD"}},
	{CircleCI, []string{"CIRCLECI"}},
	{Buildkite, []string{"BUILDKITE"}},
	{Jenkins, []string{"JENKINS_URL", "BUILD_ID"}},
	{Bitbucket, []string{"BITBUCKET_BUILD_NUMBER"}},
	{Bitbucket, []string{"BITBUCKET_COMMIT"}},
	{TeamCity, []string{"TEAMCITY_VERSION"}},
	{Travis, []string{"TRAVIS"}},
	{Woodpecker, []string{"CI=woodpecker"}},
	{Woodpecker, []string{"CI_SYSTEM_NAME=woodpecker"}},
	{Drone, []string{"DRONE"}},
	{Generic, []string{"CI"}},
	{Generic, []string{"CONTINUOUS_INTEGRATION"}},
	{Generic, []string{"CODEBUILD_BUILD_ID"}},
}

// Detect returns the provider of the job with this environment, or None.
func Detect(getenv func(string) string) Provider {
	provider, _ := detect(getenv)
	return provider
}

// Sign returns the name of the variable by which Detect recognizes a job, such
// as GITHUB_ACTIONS; "" if this is not a CI job.
func Sign(getenv func(string) string) string {
	_, variable := detect(getenv)
	return variable
}

func detect(getenv func(string) string) (p Provider, variable string) {
	for _, sign := range signs {
		if matchesEnv(getenv, sign.set) {
			variable, _, _ := strings.Cut(sign.set[0], "=")
			return sign.provider, variable
		}
	}
	return None, ""
}

func matchesEnv(getenv func(string) string, set []string) bool {
	for _, s := range set {
		name, want, exact := strings.Cut(s, "=")
		got := getenv(name)
		if exact && got != want || got == "" || got == "0" || strings.EqualFold(got, "false") || strings.EqualFold(got, "no") {
			return false
		}
	}
	return true
}

// String returns the provider's product name.
func (p Provider) String() string {
	if p == None {
		return "no CI"
	}
	return p.behavior().title
}

// ReadsErr reports whether the provider reads commands on standard error, so
// that standard output is free for a program's output. TeamCity documents only
// standard output.
func (p Provider) ReadsErr() bool { return p != None && p != TeamCity }

// CanMask reports whether the provider can mask values at run time.
func (p Provider) CanMask() bool { return p.behavior().mask != nil }

// PrintsShell reports whether the provider cannot export variables to later
// steps, so that Export prints shell text instead.
func (p Provider) PrintsShell() bool { return p.behavior().export == nil }
