package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
)

// ciOptions make env hand its variables to the later steps of a CI job.
type ciOptions struct {
	ci, allowUnmasked bool
}

func (o *ciOptions) flags() []cli.Flag {
	return []cli.Flag{
		boolFlag("ci", "mask the secrets in this CI job's log, then hand the variables to its later steps", &o.ci),
		boolFlag("allow-unmasked", "with --ci: also where the provider cannot mask", &o.allowUnmasked),
	}
}

func runEnvCI(ctx context.Context, e *env, o envOptions, profiles []string) error {
	job, err := e.job(&o.common, e.out)
	if err != nil {
		return err
	}
	switch {
	case o.unset || o.format != string(envexport.Sh):
		return usagef("--ci does not go with --format and --unset")
	case job.Provider == ci.None:
		return usagef("--ci: this is no CI job that is known")
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
	return job.HandOn(ctx, vars)
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
