package ci

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/envexport"
)

// Job is the CI job that this process is a step of.
type Job struct {
	Provider      Provider            // from Detect
	Getenv        func(string) string // the job's environment; required
	Out           io.Writer           // the step's standard output, for shell text; required
	Err           io.Writer           // the step's standard error, for commands to the runner and for messages; required
	HTTP          *http.Client        // for id tokens asked for over HTTP; nil: those are ErrUnsupported
	Run           Runner              // runs the provider's own tool; nil: Exec
	AllowUnmasked bool                // hand secrets on even where the log would show them
}

// Var is one variable for later steps.
type Var struct {
	envexport.Var
	Secret bool // mask it in the log, and mark it so where the provider knows such marks
}

// UnmaskedError says that a secret was not exported because the provider
// would not hide it in the log.
type UnmaskedError struct{ Provider Provider }

// Error names the ways out.
func (e *UnmaskedError) Error() string {
	return fmt.Sprintf("%v cannot mask values at run time: pass the value to one command with exec, "+
		"write it to a file that only this user can read, or allow unmasked values", e.Provider)
}

// behaviour is what one provider does. A nil function means that it has no
// such thing.
type behaviour struct {
	title    string
	mask     func(ctx context.Context, j Job, lines []string) error
	ready    func(j Job, vars []Var) error                      // whether export will take them, before anything is printed; nil: it will
	export   func(ctx context.Context, j Job, vars []Var) error // nil: shell text on Out
	announce func(ctx context.Context, j Job, n Note) error     // nil: plain lines in the log
	summary  func(ctx context.Context, j Job, n Note) error
	idToken  func(ctx context.Context, j Job, audience string) (string, error)
	reserved []string // names that the provider keeps, upper case; NAME or PREFIX*
}

func (p Provider) behaviour() behaviour {
	switch p {
	case GitHub:
		return github
	case Gitea:
		return gitea
	case GitLab:
		return gitlab
	case Azure:
		return azure
	case CircleCI:
		return circleCI
	case Buildkite:
		return buildkite
	case Bitbucket:
		return bitbucket
	case TeamCity:
		return teamCity
	case Jenkins:
		return jenkins
	case Travis:
		return travis
	case Woodpecker:
		return woodpecker
	case Drone:
		return drone
	}
	return behaviour{title: "this CI"}
}

// Mask hides secrets in everything that the log shows from now on. Logs are
// hidden line by line, so that each line of a secret counts as one.
func (j Job) Mask(ctx context.Context, secrets ...string) error {
	lines := maskable(secrets)
	if len(lines) == 0 {
		return nil
	}
	mask := j.Provider.behaviour().mask
	if mask == nil {
		return &UnmaskedError{j.Provider}
	}
	if err := mask(ctx, j, lines); err != nil {
		return fmt.Errorf("mask values for %v: %w", j.Provider, err)
	}
	return nil
}

func maskable(secrets []string) []string {
	var lines []string
	for _, secret := range secrets {
		for line := range strings.FieldsFuncSeq(secret, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if strings.TrimSpace(line) != "" && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// Export masks the secret variables and then gives all of them to the later
// steps of the job, through a file or command of the provider's own. What it
// can know beforehand to fail, such as a file that cannot be written, fails
// before anything is printed.
//
// Where a provider has none, which [Provider.PrintsShell] reports, it prints
// POSIX shell text on Out for the shell of the same step to eval. On Azure Pipelines secret variables reach a later
// step only where it maps them: `env: {NAME: $(NAME)}`. On Buildkite they reach
// the later phases of the job, which are hooks, and not the rest of its command.
func (j Job) Export(ctx context.Context, vars []Var) error {
	b := j.Provider.behaviour()
	for _, v := range vars {
		if err := checkVar(v, b.reserved); err != nil {
			return err
		}
	}
	secrets := secretsOf(vars)
	if b.mask == nil && len(maskable(secrets)) > 0 && !j.AllowUnmasked {
		return &UnmaskedError{j.Provider}
	}
	if b.ready != nil {
		if err := b.ready(j, vars); err != nil {
			return fmt.Errorf("export variables to %v: %w", j.Provider, err)
		}
	}
	if b.mask != nil {
		if err := j.Mask(ctx, secrets...); err != nil {
			return err
		}
	}
	export := b.export
	if export == nil {
		export = shellText
	}
	if err := export(ctx, j, vars); err != nil {
		return fmt.Errorf("export variables to %v: %w", j.Provider, err)
	}
	return nil
}

func secretsOf(vars []Var) []string {
	var secrets []string
	for _, v := range vars {
		if !v.Secret {
			continue
		}
		secrets = append(secrets, v.Value)
		// The token alone is as good to a thief as the header's value.
		if scheme, token, ok := strings.Cut(v.Value, " "); ok && (scheme == "Bearer" || scheme == "DPoP") {
			secrets = append(secrets, token)
		}
	}
	return secrets
}

// alwaysReserved change what later steps run rather than what they know.
var alwaysReserved = []string{
	"PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_ENV", "BASH_FUNC_*", "PROMPT_COMMAND", "PS4", "SHELLOPTS",
	"LD_*", "DYLD_*", "NODE_OPTIONS", "PYTHONPATH", "PYTHONSTARTUP", "PERL5OPT", "PERL5LIB", "RUBYOPT",
	"JAVA_TOOL_OPTIONS", "GIT_*", "CI",
}

func checkVar(v Var, reserved []string) error {
	switch {
	case !envexport.ValidName(v.Name):
		return fmt.Errorf("%w: %q is not a variable name", ErrVariable, v.Name)
	case matches(v.Name, alwaysReserved), matches(v.Name, reserved):
		return fmt.Errorf("%w: the name %s is reserved", ErrVariable, v.Name)
	case strings.ContainsRune(v.Value, 0), !utf8.ValidString(v.Value):
		return fmt.Errorf("%w: the value of %s is not text", ErrVariable, v.Name)
	}
	return nil
}

// matches compares without case, as Windows does.
func matches(name string, patterns []string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, open := strings.CutSuffix(p, "*")
		return name == p || open && strings.HasPrefix(name, prefix)
	})
}

// oneLine is for the sinks that cannot carry a line's end.
func oneLine(v Var) error {
	if strings.ContainsAny(v.Value, "\r\n") {
		return fmt.Errorf("%w: the value of %s has several lines", ErrVariable, v.Name)
	}
	return nil
}

func shellText(_ context.Context, j Job, vars []Var) error { return writeShell(j.Out, vars) }

func writeShell(w io.Writer, vars []Var) error {
	plain := make([]envexport.Var, len(vars))
	for i, v := range vars {
		plain[i] = v.Var
	}
	return envexport.Write(w, envexport.Sh, plain)
}
