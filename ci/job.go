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
	HTTP          *http.Client        // for requests for ID tokens; nil: those return ErrUnsupported
	Run           Runner              // runs the provider's command-line tool; nil: Exec
	AllowUnmasked bool                // export secrets even if the log would show them
}

// Var is one variable for later steps.
type Var struct {
	envexport.Var
	Secret bool // mask it in the log, and mark it as secret if the provider supports that
}

// UnmaskedError means that a secret was not exported because the provider
// cannot mask it in the log.
type UnmaskedError struct{ Provider Provider }

// Error suggests alternatives.
func (e *UnmaskedError) Error() string {
	return fmt.Sprintf("%v cannot mask values at run time: pass the value to one command with exec, "+
		"write it to a file that only this user can read, or allow unmasked values", e.Provider)
}

// behavior is the implementation for one provider. A nil function means that
// the provider has no such feature.
type behavior struct {
	title    string
	mask     func(ctx context.Context, j Job, lines []string) error
	ready    func(j Job, vars []Var) error                      // checks before anything is printed that export can succeed; nil: no check
	export   func(ctx context.Context, j Job, vars []Var) error // nil: shell text on Out
	announce func(ctx context.Context, j Job, n Note) error     // nil: plain lines in the log
	summary  func(ctx context.Context, j Job, n Note) error
	idToken  func(ctx context.Context, j Job, audience string) (string, error)
	reserved []string // reserved names in upper case; NAME or PREFIX*
}

func (p Provider) behavior() behavior {
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
	return behavior{title: "this CI"}
}

// Mask masks secrets in the rest of the job's log. Providers mask line by line,
// so each line of a secret is masked separately.
func (j Job) Mask(ctx context.Context, secrets ...string) error {
	lines := maskable(secrets)
	if len(lines) == 0 {
		return nil
	}
	mask := j.Provider.behavior().mask
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

// Export masks the secret variables and then exports all variables to later
// steps of the job, by the provider's file or command. It checks what it can,
// such as whether a file is writable, before it prints anything.
//
// For a provider without either ([Provider.PrintsShell]), it prints POSIX shell text to Out, which the shell of the
// same step evaluates. On Azure Pipelines a later step gets secret variables only if it maps them: `env: {NAME:
// $(NAME)}`. On Buildkite the later phases of the job (hooks) get the variables, but not the rest of its command.
func (j Job) Export(ctx context.Context, vars []Var) error {
	b := j.Provider.behavior()
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
		// Mask the token alone too, because it is sufficient to use it.
		if scheme, token, ok := strings.Cut(v.Value, " "); ok && (scheme == "Bearer" || scheme == "DPoP") {
			secrets = append(secrets, token)
		}
	}
	return secrets
}

// alwaysReserved are variables that would change which code later steps run.
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

// matches is case-insensitive, like variable names on Windows.
func matches(name string, patterns []string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, open := strings.CutSuffix(p, "*")
		return name == p || open && strings.HasPrefix(name, prefix)
	})
}

// oneLine rejects line breaks, for providers that cannot export them.
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
