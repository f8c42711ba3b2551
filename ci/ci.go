// Package ci knows the CI system that a job runs in: how its log hides a
// value, how variables reach later steps, where a message shows while the
// step still runs, and how the job proves who it is.
//
// Most programs need [Detect] and a [Job]:
//
//	job := ci.Job{Provider: ci.Detect(os.Getenv), Getenv: os.Getenv, Out: os.Stdout, Err: os.Stderr}
//	err := job.Export(ctx, vars) // masks the secret ones first
//
// [Job.Announce] shows a message, [Job.IDToken] gets the job's id token, and
// [Escape] makes text of somebody else safe to print in any provider's log.
//
// # Security
//
// A log is an input: every line of it may be a command to the runner. Nothing
// that this package prints lets a value or a server's text become one. A
// secret is masked before it is exported, and where the provider cannot mask
// at run time Export refuses with [UnmaskedError]. Where a mask would not reach
// the runner, it refuses with [CapturedError]. Secrets never appear in an
// argument list or in an error.
//
// # Stability
//
// Names of providers are stable. What a provider does follows its
// documentation, which is named beside the code.
package ci

import (
	"errors"
	"strings"
)

// The errors that callers branch on.
var (
	// ErrUnsupported: the provider has no such thing, or this job was not
	// given it. The text says what is missing.
	ErrUnsupported = errors.New("not available here")
	// ErrVariable: a variable's name is reserved, or its value cannot be
	// carried unchanged.
	ErrVariable = errors.New("variable cannot be exported")
	// ErrIdentity: an id token is for another audience, issuer or subject, or
	// cannot be read.
	ErrIdentity = errors.New("unexpected identity")
)

// Provider names a CI system.
type Provider string

// The providers that [Detect] tells apart.
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
	Generic    Provider = "ci" // a CI job, of nobody known here
)

// signs lists what each provider sets in a job, the most particular first:
// Gitea's runner also says that it is GitHub, and old Woodpecker that it is
// Drone. The variables are those of
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

// Detect returns the provider whose job has this environment, or None.
func Detect(getenv func(string) string) Provider {
	provider, _ := detect(getenv)
	return provider
}

// Sign returns the name of the variable by which Detect knows a job, such as
// GITHUB_ACTIONS; "" if this is none.
func Sign(getenv func(string) string) string {
	_, variable := detect(getenv)
	return variable
}

func detect(getenv func(string) string) (p Provider, variable string) {
	for _, sign := range signs {
		if shows(getenv, sign.set) {
			variable, _, _ := strings.Cut(sign.set[0], "=")
			return sign.provider, variable
		}
	}
	return None, ""
}

func shows(getenv func(string) string, set []string) bool {
	for _, s := range set {
		name, want, exact := strings.Cut(s, "=")
		got := getenv(name)
		if exact && got != want || got == "" || got == "0" || strings.EqualFold(got, "false") || strings.EqualFold(got, "no") {
			return false
		}
	}
	return true
}

// String returns the provider's name as its makers write it.
func (p Provider) String() string {
	if p == None {
		return "no CI"
	}
	return p.behaviour().title
}

// ReadsErr reports whether the provider reads commands on standard error, which
// leaves standard output to the answer of a program. TeamCity promises to read
// only standard output.
func (p Provider) ReadsErr() bool { return p != None && p != TeamCity }

// CanMask reports whether the provider can hide a value that it was not told
// of before the job began.
func (p Provider) CanMask() bool { return p.behaviour().mask != nil }

// PrintsShell reports whether the provider has no place for the variables of
// later steps, so that Export prints shell text instead.
func (p Provider) PrintsShell() bool { return p.behaviour().export == nil }
