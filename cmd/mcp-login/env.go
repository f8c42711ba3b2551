package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// variables are how env and exec name what they export.
type variables struct {
	prefix string
	only   string
	rename string
}

// The variables, without their prefix.
var suffixes = []string{"AUTHORIZATION", "TOKEN", "URL", "EXPIRES_AT"}

func (o *variables) flags() []cli.Flag {
	return []cli.Flag{
		stringFlag("prefix", "Begin the names of the variables with `PREFIX` (default: MCP_ and the profile's name)", "", &o.prefix),
		stringFlag("only", "Print only these variables: a `LIST` of "+strings.Join(suffixes, ", "), "", &o.only),
		stringFlag("var", "Rename variables: a `LIST` such as AUTHORIZATION=NOTION_AUTH,URL=NOTION_URL", "", &o.rename),
	}
}

type envOptions struct {
	access
	variables
	ciOptions
	format string
	unset  bool
}

func newEnv(e *env) *cli.Command {
	var o envOptions
	return e.command(&cli.Command{
		Name: envName, Usage: "Print variables for a shell or tool to read",
		ArgsUsage: "NAME...", UsageText: suggest.Eval(suggest.MCPLogin("env", "notion")),
		Description: aboutCI,
		Flags: slices.Concat([]cli.Flag{
			stringFlag("format", "Output `FORMAT`: "+formatNames()+", the name of a shell, or auto for the shell that runs this", string(envexport.Sh), &o.format),
			boolFlag("unset", "Print commands that unset the variables", &o.unset),
		}, o.variables.flags(), o.ciOptions.flags(), o.access.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runEnv(ctx, e, o, args) })
}

func formatNames() string {
	var names []string
	for _, f := range envexport.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func runEnv(ctx context.Context, e *env, o envOptions, profiles []string) error {
	if o.ci {
		return runEnvCI(ctx, e, o, profiles)
	}
	format, err := e.format(o.format)
	if err != nil {
		return err
	}
	names, err := o.names(profiles)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if o.unset {
		if err := envexport.Unset(&text, format, slices.Concat(names...)); err != nil {
			return err
		}
		return e.answerData(text.Bytes())
	}
	vars, err := e.vars(ctx, &o.access, o.variables, profiles)
	if err != nil {
		return err
	}
	if err := envexport.Write(&text, format, vars); err != nil {
		return err
	}
	return e.answerData(text.Bytes())
}

// format returns what --format names.
func (e *env) format(name string) (envexport.Format, error) {
	if name != "auto" {
		f, err := envexport.ParseFormat(name)
		if err != nil {
			return "", unknownValue("--format", name, append(strings.Split(formatNames(), ", "), "auto"))
		}
		return f, nil
	}
	f, why := envexport.Detect(runtime.GOOS, subprocess.Parent(), e.getenv)
	e.say("format %s: %s", f, why)
	return f, nil
}

// vars returns the variables of all profiles, or an error: never some.
func (e *env) vars(ctx context.Context, o *access, v variables, profiles []string) ([]envexport.Var, error) {
	names, err := v.names(profiles)
	if err != nil {
		return nil, err
	}
	from, err := e.source(ctx, &o.common, o.fromAgent, o.login)
	if err != nil {
		return nil, err
	}
	if err := unambiguous(ctx, from.store, v, profiles); err != nil {
		return nil, err
	}
	var vars []envexport.Var
	for i, profile := range profiles {
		c, err := e.credential(ctx, o, from, profile)
		if err != nil {
			return nil, err
		}
		header, err := c.Authorization()
		if err != nil {
			return nil, err
		}
		values := map[string]string{
			"AUTHORIZATION": header, "TOKEN": c.Token.Access, "URL": c.Server, "EXPIRES_AT": timestamp(c.Token.Expiry),
		}
		for j, suffix := range v.suffixes() {
			if value := values[suffix]; value != "" {
				vars = append(vars, envexport.Var{Name: names[i][j], Value: value})
			}
		}
	}
	return vars, nil
}

// timestamp is RFC 3339, "" if unknown.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// unambiguous refuses profiles whose variables another profile's have the
// names of, as "a-b" and "a_b" have. Where a list costs a request it is not
// asked for: login has warned. A name that is not stored, a mistyped one say, is
// for others to complain about.
func unambiguous(ctx context.Context, store secrets.Store, v variables, profiles []string) error {
	if v.prefix != "" {
		return nil
	}
	others, known := slices.Clone(profiles), profiles
	if files, ok := store.(*file.Store); ok {
		stored, err := files.List(ctx)
		if err != nil {
			return err
		}
		others = append(others, stored...)
		known = slices.DeleteFunc(slices.Clone(profiles), func(name string) bool { return !slices.Contains(stored, name) })
	}
	for _, profile := range known {
		if other, found := envexport.Collision(profile, others); found {
			return &codeError{
				code: exitUsage,
				text: fmt.Sprintf("the variables of %q and %q have the same names", profile, other),
				hint: "use other names: --prefix " + envexport.Prefix(profile) + "_2",
			}
		}
	}
	return nil
}

// suffixes returns the chosen variables in their order.
func (v variables) suffixes() []string {
	if v.only == "" {
		return suffixes
	}
	chosen := v.chosen()
	return slices.DeleteFunc(slices.Clone(suffixes), func(s string) bool { return !slices.Contains(chosen, s) })
}

// chosen reads --only.
func (v variables) chosen() []string {
	return strings.FieldsFunc(v.only, func(r rune) bool { return r == ',' || r == ' ' })
}

// names returns each profile's variable names, in the order of v.suffixes.
func (v variables) names(profiles []string) ([][]string, error) {
	if err := v.check(len(profiles)); err != nil {
		return nil, err
	}
	renamed := v.renamed()
	var all [][]string
	for _, profile := range profiles {
		prefix := v.prefix
		if prefix == "" {
			prefix = envexport.Prefix(profile)
		}
		var names []string
		for _, suffix := range v.suffixes() {
			name := renamed[suffix]
			if name == "" {
				name = prefix + "_" + suffix
			}
			names = append(names, name)
		}
		if err := v.notOwn(profile, names); err != nil {
			return nil, err
		}
		all = append(all, names)
	}
	return all, nil
}

// renamed reads --var.
func (v variables) renamed() map[string]string {
	names := map[string]string{}
	for pair := range strings.SplitSeq(v.rename, ",") {
		suffix, name, _ := strings.Cut(pair, "=")
		names[suffix] = name
	}
	return names
}

// check refuses flags that name no variable, or one variable twice.
func (v variables) check(profiles int) error {
	if v.prefix != "" && !envexport.ValidName(v.prefix) {
		return usagef("--prefix %q: use letters, digits and _, no digit first", v.prefix)
	}
	if profiles > 1 && (v.prefix != "" || v.rename != "") {
		return usagef("--prefix and --var go with one profile")
	}
	if v.only != "" {
		for _, name := range v.chosen() {
			if !slices.Contains(suffixes, name) {
				return usagef("--only %q: use some of %s", name, strings.Join(suffixes, ","))
			}
		}
	}
	if v.rename == "" {
		return nil
	}
	for suffix, name := range v.renamed() {
		if !slices.Contains(suffixes, suffix) || !envexport.ValidName(name) {
			return usagef("--var %q: use one of %s, =, and a name", v.rename, strings.Join(suffixes, ", "))
		}
	}
	return nil
}
