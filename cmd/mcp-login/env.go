package main

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// variableOptions are how env and exec name what they export.
type variableOptions struct{ variables.Naming }

func (o *variableOptions) flags() []cli.Flag {
	return []cli.Flag{
		stringFlag("prefix", "Begin the names of the variables with `PREFIX` (default: MCP_ and the profile's name)", "", &o.Prefix),
		stringFlag("only", "Print only these variables: a `LIST` of "+strings.Join(variables.Suffixes(), ", "), "", &o.Only),
		stringFlag("var", "Rename variables: a `LIST` such as AUTHORIZATION=NOTION_AUTH,URL=NOTION_URL", "", &o.Rename),
	}
}

type envOptions struct {
	tokenOptions
	variableOptions
	ciOptions
	format string
	unset  bool
}

func newEnv(e *call) *cli.Command {
	var o envOptions
	return e.command(&cli.Command{
		Name: envName, Usage: "Print variables for a shell or tool to read",
		ArgsUsage: "NAME...", UsageText: suggest.Eval(suggest.MCPLogin("env", "notion")),
		Description: aboutCI,
		Flags: slices.Concat([]cli.Flag{
			stringFlag("format", "Output `FORMAT`: "+formatNames()+", the name of a shell, or auto for the shell that runs this", string(envexport.Sh), &o.format),
			boolFlag("unset", "Print commands that unset the variables", &o.unset),
		}, o.variableOptions.flags(), o.ciOptions.flags(), o.tokenOptions.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runEnv(ctx, e, o, args) })
}

func formatNames() string {
	var names []string
	for _, f := range envexport.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func runEnv(ctx context.Context, e *call, o envOptions, profiles []string) error {
	if o.ci {
		return runEnvCI(ctx, e, o, profiles)
	}
	format, err := e.format(o.format)
	if err != nil {
		return err
	}
	names, err := o.Names(profiles)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if o.unset {
		var all []string
		for _, name := range slices.Concat(names...) {
			all = append(all, name.Name)
		}
		err = envexport.Unset(&text, format, all)
	} else {
		var vars []envexport.Var
		if vars, err = e.vars(ctx, &o.tokenOptions, o.Naming, profiles); err == nil {
			err = envexport.Write(&text, format, vars)
		}
	}
	if err != nil {
		return err
	}
	return e.answerData(text.Bytes())
}

// format returns what --format names.
func (e *call) format(name string) (envexport.Format, error) {
	if name != "auto" {
		f, err := envexport.ParseFormat(name)
		if err != nil {
			return "", exit.Unknown("--format", name, append(strings.Split(formatNames(), ", "), "auto"))
		}
		return f, nil
	}
	f, why := envexport.Detect(runtime.GOOS, subprocess.Parent(), e.getenv)
	e.say("format %s: %s", f, why)
	return f, nil
}

// vars returns the variables of all profiles, or an error: never some.
func (e *call) vars(ctx context.Context, o *tokenOptions, n variables.Naming, profiles []string) ([]envexport.Var, error) {
	names, err := n.Names(profiles)
	if err != nil {
		return nil, err
	}
	from, err := e.source(ctx, &o.common, o.fromAgent, o.login)
	if err != nil {
		return nil, err
	}
	if err := unambiguous(ctx, from.Store, n, profiles); err != nil {
		return nil, err
	}
	var vars []envexport.Var
	for i, profile := range profiles {
		c, err := e.open(&o.common).Credential(ctx, from, profile, o.login)
		if err != nil {
			return nil, err
		}
		header, err := c.Authorization()
		if err != nil {
			return nil, err
		}
		vars = append(vars, variables.Values(names[i], header, c.Token.Access, c.Server, c.Token.Expiry)...)
	}
	return vars, nil
}

// unambiguous refuses profiles whose variables have the names of another's. Where a
// list costs a request it is not asked for: login has warned.
func unambiguous(ctx context.Context, store secrets.Store, n variables.Naming, profiles []string) error {
	var stored []string
	if files, ok := store.(*file.Store); ok && n.Prefix == "" {
		names, err := files.List(ctx)
		if err != nil {
			return err
		}
		stored = append([]string{}, names...)
	}
	return n.Distinct(profiles, stored)
}
