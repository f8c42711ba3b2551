package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/variables"
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

func runEnvCI(ctx context.Context, e *call, o envOptions, profiles []string) error {
	job, err := e.open(&o.common).Job()
	if err != nil {
		return err
	}
	switch {
	case o.unset || o.format != string(envexport.Sh):
		return exit.Usagef("--ci does not go with --format and --unset")
	case job.Provider == ci.None:
		return exit.Usagef("--ci: this is not a known CI job")
	}
	job.AllowUnmasked = o.allowUnmasked
	plain, err := e.vars(ctx, &o.tokenOptions, o.Naming, profiles)
	if err != nil {
		return err
	}
	names, err := o.Names(profiles)
	if err != nil {
		return err
	}
	vars := make([]ci.Var, len(plain))
	for i, v := range plain {
		secret := slices.ContainsFunc(slices.Concat(names...), func(n variables.Name) bool { return n.Secret && n.Name == v.Name })
		vars[i] = ci.Var{Var: v, Secret: secret}
	}
	notes, err := cistep.HandOn(ctx, job, vars, profiles, e.Remedy().ForEval(job.AllowUnmasked))
	for _, note := range notes {
		e.say("%s", note)
	}
	return err
}
