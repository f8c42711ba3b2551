package main

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/envexport"
)

// hookShells are those that have a clock of their own and run something before
// a prompt.
var hookShells = []string{"bash", "zsh", "fish"}

// expiresAt ends the names of the variables that the hook watches.
const expiresAt = "_EXPIRES_AT"

type hookOptions struct {
	common
	due string
}

func newHook(e *env) *cli.Command {
	var o hookOptions
	return e.command(&cli.Command{
		Name: "hook", Usage: "print what refreshes a shell's variables before a prompt, when they are about to expire",
		ArgsUsage: "SHELL", UsageText: `eval "$(mcp-login hook bash)"`,
		Description: "SHELL is bash, zsh or fish. The line goes into the shell's start-up file; for fish it is `mcp-login hook fish | source`. " +
			"It looks after the variables that `mcp-login env` sets under their usual names, EXPIRES_AT among them. " +
			"As long as none is due the shell starts no process. It never asks anything; when a refresh fails it says so once, and tries again after five minutes.",
		Flags: []cli.Flag{
			stringFlag("due", "print the new values beside this variable, such as MCP_NOTION_EXPIRES_AT: what the hook itself calls", "", &o.due),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runHook(ctx, e, o, args[0]) })
}

func runHook(ctx context.Context, e *env, o hookOptions, shell string) error {
	if !slices.Contains(hookShells, shell) {
		return usagef("hook: there is none for %q, only for %s", shell, strings.Join(hookShells, ", "))
	}
	if o.due != "" {
		return e.oneLined(runDue(ctx, e, o, shell))
	}
	text, err := scripts.ReadFile("shell/hook." + shell)
	if err != nil {
		return err
	}
	margin := strconv.Itoa(int((o.minTTL + time.Second - 1) / time.Second))
	return e.answer([]byte(strings.NewReplacer("@MARGIN@", margin, " @FLAGS@", e.hookFlags(&o.common, shell)).Replace(string(text))))
}

// hookFlags repeats the flags that this call was given, as they read in any
// folder. What the environment and the configuration say the next call reads
// there itself.
func (e *env) hookFlags(o *common, shell string) string {
	var flags strings.Builder
	for _, f := range o.flags() {
		name := f.Names()[0]
		text, ok := e.typed(name, o.flags())
		if !ok {
			continue
		}
		if name == "profile-dir" || name == "ca-cert" {
			text = absolute(text)
		}
		if scheme, dir, found := strings.Cut(text, ":"); found && name == "store" && scheme != "vault" {
			text = scheme + ":" + absolute(dir)
		}
		flags.WriteString(" --" + name + " " + quoteIn(shell, text))
	}
	return flags.String()
}

// absolute is the path as it reads in any folder. Without a working folder
// there is no other than the one that was given.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); path != "" && err == nil {
		return abs
	}
	return path
}

// quoteIn quotes for a shell. fish knows escapes in single quotes.
func quoteIn(shell, word string) string {
	if shell == "fish" && strings.Contains(word, `\`) {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(word) + "'"
	}
	return quote(word)
}

// runDue has env print new values for one profile's variables, those that are
// set. It knows the variable alone, and looks for the profile.
func runDue(ctx context.Context, e *env, o hookOptions, shell string) error {
	prefix, ok := strings.CutSuffix(o.due, expiresAt)
	if !ok {
		return usagef("--due %q: give a variable that ends in %s", o.due, expiresAt)
	}
	profile, err := e.profileOf(ctx, &o.common, prefix)
	if err != nil {
		return err
	}
	var set []string
	for _, suffix := range suffixes {
		if e.getenv(prefix+"_"+suffix) != "" {
			set = append(set, suffix)
		}
	}
	args := []string{"env", "--format", shell, "--only", strings.Join(set, ",")}
	for _, f := range o.flags() {
		if text, ok := e.typed(f.Names()[0], o.flags()); ok {
			args = append(args, "--"+f.Names()[0]+"="+text)
		}
	}
	return e.call(ctx, append(args, "--", profile))
}

// profileOf finds the profile whose variables begin so, in the configuration
// and in the store. Where two do, env refuses them.
func (e *env) profileOf(ctx context.Context, o *common, prefix string) (string, error) {
	var names []string
	if e.settings != nil {
		names = slices.Sorted(maps.Keys(e.settings.profiles))
	}
	if cmp.Or(e.getenv("MCP_LOGIN_AGENT_SOCK"), e.configured("agent-sock")) != "" { // an agent tells no names
		names = append(names, strings.ToLower(strings.TrimPrefix(prefix, "MCP_")))
		i := slices.IndexFunc(names, func(name string) bool { return envexport.Prefix(name) == prefix })
		return names[max(i, 0)], nil
	}
	store, err := e.openStore(ctx, o, false)
	if err != nil {
		return "", err
	}
	stored, err := store.List(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range append(names, stored...) {
		if envexport.Prefix(name) == prefix {
			return name, nil
		}
	}
	return "", &codeError{code: exitLoginRequired, text: prefix + expiresAt + " is about to expire, and no credential is stored for it"}
}

// oneLined brings an error's hint into its line: a prompt follows.
func (e *env) oneLined(err error) error {
	if err == nil {
		return nil
	}
	code, hint := e.verdict(err)
	text := err.Error()
	if hint != "" {
		text += ": " + hint
	}
	return &codeError{code: code, text: text}
}
