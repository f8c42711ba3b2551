package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// runMigrate replaces mcp-remote in the files of all clients. The plan is the
// answer; the files change after a yes.
func runMigrate(ctx context.Context, e *call, o clientConfigOptions, args []string) error {
	if len(args) > 0 || o.write || o.remove {
		return exit.Usagef("--migrate takes no NAME, and only the flags --yes and --program")
	}
	servers, errs := clientconfig.Servers(e.places())
	for _, err := range errs {
		e.say("warning: skipped: %v", err)
	}
	all := clientconfig.Migrations(servers, o.program)
	if err := e.answer(clientconfig.Plan(all)); err != nil {
		return err
	}
	files, possible := clientconfig.ByFile(all)
	if len(files) > 0 {
		agreed, err := e.agreed(ctx, o, fmt.Sprintf("Change %s? [y/N] ", strings.Join(files, ", ")))
		if err != nil || !agreed {
			return err
		}
	}
	for _, file := range files {
		change, err := clientconfig.Apply(file, possible[file])
		if err == nil {
			err = e.apply(change, "changed "+file)
		}
		if err != nil {
			return err
		}
	}
	if slices.ContainsFunc(all, func(m clientconfig.Migration) bool { return m.Err != nil }) || len(errs) > 0 {
		e.say("kept the tokens of mcp-remote, because it may still use them")
		return nil
	}
	return e.offerToRemoveTokens(ctx)
}

// agreed asks, unless --yes says it already.
func (e *call) agreed(ctx context.Context, o clientConfigOptions, question string) (bool, error) {
	if o.yes {
		return true, nil
	}
	yes, err := e.streams().Confirm(ctx, question)
	if errors.Is(err, secretref.ErrNoTerminal) {
		return false, &exit.Error{Code: exit.Failed, Text: "nothing was changed: a terminal is required to confirm", Hint: "mcp-login client-config --migrate --yes"}
	}
	if err == nil && !yes {
		e.say("nothing was changed")
	}
	return yes, err
}

// offerToRemoveTokens asks whether to remove what mcp-remote has stored, which
// holds refresh tokens in plain text.
func (e *call) offerToRemoveTokens(ctx context.Context) error {
	dir, entries, err := clientconfig.OldTokens(e.places())
	if err != nil || len(entries) == 0 {
		return err
	}
	yes, err := e.streams().Confirm(ctx, fmt.Sprintf("Remove the tokens of mcp-remote in %s? Nothing uses them now. [y/N] ", dir))
	if errors.Is(err, secretref.ErrNoTerminal) || err == nil && !yes {
		e.say("next: %s", suggest.Command{"rm", "-r", dir})
		return nil
	}
	if err != nil {
		return err
	}
	if err := clientconfig.RemoveOldTokens(dir, entries); err != nil {
		return err
	}
	e.say("removed the tokens in %s", dir)
	return nil
}
