package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// ciOptions make env hand its variables to the later steps of a CI job.
type ciOptions struct {
	ci, allowUnmasked bool
}

func (o *ciOptions) flags() []cli.Flag {
	return []cli.Flag{
		boolFlag("ci", "Mask the secrets in this CI job's log, then export the variables to its later steps", &o.ci),
		boolFlag("allow-unmasked", "With --ci: accept a provider that cannot mask, so that the log may show the token", &o.allowUnmasked),
	}
}

// aboutCI is what the help says of --ci beside its flags.
const aboutCI = "If the CI system cannot pass variables to later steps (GitLab, Jenkins, Travis, Woodpecker, Drone, unknown systems), " +
	"--ci prints shell text for the same step. Evaluate it, or the token is in the log and nothing is set: " +
	`eval "$(mcp-login env NAME --ci --allow-unmasked)"`

func runEnvCI(ctx context.Context, e *env, o envOptions, profiles []string) error {
	job, err := e.job(&o.common)
	if err != nil {
		return err
	}
	switch {
	case o.unset || o.format != string(envexport.Sh):
		return usagef("--ci does not go with --format and --unset")
	case job.Provider == ci.None:
		return usagef("--ci: this is not a known CI job")
	}
	job.AllowUnmasked = o.allowUnmasked
	plain, err := e.vars(ctx, &o.access, o.variables, profiles)
	if err != nil {
		return err
	}
	secret, err := o.secretNames(profiles)
	if err != nil {
		return err
	}
	vars := make([]ci.Var, len(plain))
	for i, v := range plain {
		vars[i] = ci.Var{Var: v, Secret: slices.Contains(secret, v.Name)}
	}
	if err := job.HandOn(ctx, vars); err != nil {
		if errors.Is(err, ci.ErrVariable) {
			return err
		}
		return notExported{err, profiles}
	}
	e.tellReach(job, vars)
	return nil
}

// tellReach says where the variables are available, unless every later step
// simply has them.
func (e *env) tellReach(job ci.Job, vars []ci.Var) {
	var secret []string
	for _, v := range vars {
		if v.Secret {
			secret = append(secret, fmt.Sprintf("%s: $(%[1]s)", v.Name))
		}
	}
	switch {
	case job.Provider.PrintsShell():
		holds := "shell text"
		if len(secret) > 0 {
			holds = "shell text with the clear token"
		}
		e.say("caution: %v has no place for variables, so %s was printed: as a bare line it is in the log and sets nothing", job.Provider, holds)
		e.say("use: %s", e.forEval(job.AllowUnmasked))
	case job.Provider == ci.Azure && len(secret) > 0:
		e.say("%v gives secret variables only to the steps that map them: env: {%s}", job.Provider, strings.Join(secret, ", "))
	}
}

// notExported says why the later steps of a job did not get the variables of
// these profiles.
type notExported struct {
	error
	profiles []string
}

func (n notExported) Unwrap() error { return n.error }

// otherWays are commands that need nothing of the provider, one a line.
func (e *env) otherWays(n notExported) string {
	exec := suggest.MCPLogin("exec", n.profiles[0])
	for _, profile := range n.profiles[1:] {
		exec = exec.With("--"+alsoFlag, profile)
	}
	ways := []string{
		exec.With(e.again()...).With("--", "COMMAND").String(),
		"or a file that only you can read: " + suggest.Private(e.lineWith(), "FILE"),
	}
	if captured, ok := errors.AsType[*ci.CapturedError](n.error); ok {
		ways = slices.Insert(ways, 0, "leave "+captured.Stream+" as the step has it: "+e.lineWith("--ci").String())
	}
	if unmasked, ok := errors.AsType[*ci.UnmaskedError](n.error); ok {
		line := e.lineWith("--ci", "--allow-unmasked").String()
		if unmasked.Provider.PrintsShell() {
			line = e.forEval(true)
		}
		ways = append(ways, "or accept that the log may show the token: "+line)
	}
	return strings.Join(ways, "\n")
}

// forEval is this command line as a shell is to run it.
func (e *env) forEval(unmasked bool) string {
	flags := []string{"--ci"}
	if unmasked {
		flags = append(flags, "--allow-unmasked")
	}
	return suggest.Eval(e.lineWith(flags...))
}

// lineWith is this command line with other flags in the place of --ci.
func (e *env) lineWith(flags ...string) suggest.Command {
	return e.line.again(func(p part) []string {
		switch {
		case p.isFlag && p.flag == "ci":
			words := flags
			flags = nil // once, however often it was typed
			return words
		case p.isFlag && p.flag == "allow-unmasked":
			return nil
		}
		return p.typed()
	})
}

// secretNames returns the names of the variables that hold a token.
func (v variables) secretNames(profiles []string) ([]string, error) {
	names, err := v.names(profiles)
	if err != nil {
		return nil, err
	}
	var secret []string
	for _, of := range names {
		for i, suffix := range v.suffixes() {
			if suffix == "AUTHORIZATION" || suffix == "TOKEN" {
				secret = append(secret, of[i])
			}
		}
	}
	return secret, nil
}
