package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// runMigrate replaces mcp-remote in the files of all clients. The plan is the
// answer; the files change after a yes.
func runMigrate(ctx context.Context, e *env, o clientConfigOptions, args []string) error {
	if len(args) > 0 || o.write || o.remove {
		return usagef("--migrate takes no NAME and no other flag but --yes and --program")
	}
	servers, errs := clientconfig.Servers(e.places())
	for _, err := range errs {
		e.say("warning: not looked at: %v", err)
	}
	all := clientconfig.Migrations(servers, o.program)
	if err := e.answer(plan(all)); err != nil {
		return err
	}
	possible, left := map[string][]clientconfig.Migration{}, 0
	var files []string
	for _, m := range all {
		if m.Err != nil {
			left++
			continue
		}
		if possible[m.File] == nil {
			files = append(files, m.File)
		}
		possible[m.File] = append(possible[m.File], m)
	}
	if len(files) > 0 {
		agreed, err := e.agreed(ctx, o, fmt.Sprintf("Change %s? [y/N] ", strings.Join(files, ", ")))
		if err != nil || !agreed {
			return err
		}
	}
	for _, file := range files {
		change, err := clientconfig.Apply(file, possible[file])
		if err == nil {
			err = change.Apply()
		}
		if err != nil {
			return err
		}
		e.sayWritten(change, "changed "+file)
	}
	if left > 0 || len(errs) > 0 {
		e.say("mcp-remote may still use its tokens, so they stay")
		return nil
	}
	return e.offerToRemoveTokens(ctx, o)
}

// plan says what becomes of each entry.
func plan(all []clientconfig.Migration) string {
	if len(all) == 0 {
		return "no client's file starts mcp-remote\n"
	}
	var b strings.Builder
	for _, m := range all {
		fmt.Fprintf(&b, "%s: %s\n", m.File, m.Name)
		fmt.Fprintf(&b, "- %s\n", suggest.Command(m.Command))
		if m.Err != nil {
			fmt.Fprintf(&b, "  stays: %v\n", m.Err)
			continue
		}
		fmt.Fprintf(&b, "+ %s\n", suggest.Command(m.Proxy))
		for _, note := range m.Notes {
			fmt.Fprintf(&b, "  %s\n", note)
		}
	}
	return b.String()
}

// agreed asks, unless --yes says it already.
func (e *env) agreed(ctx context.Context, o clientConfigOptions, question string) (bool, error) {
	if o.yes {
		return true, nil
	}
	yes, err := e.streams().Confirm(ctx, question)
	if errors.Is(err, secretref.ErrNoTerminal) {
		return false, &codeError{code: exitFailed, text: "nothing was changed: no terminal to ask at", hint: "mcp-login client-config --migrate --yes"}
	}
	if err == nil && !yes {
		e.say("nothing was changed")
	}
	return yes, err
}

// offerToRemoveTokens asks whether to remove what mcp-remote has stored, which
// holds refresh tokens in plain text.
func (e *env) offerToRemoveTokens(ctx context.Context, o clientConfigOptions) error {
	dir, entries, err := clientconfig.OldTokens(e.places())
	if err != nil || len(entries) == 0 {
		return err
	}
	yes, err := e.streams().Confirm(ctx, fmt.Sprintf("Remove the tokens that mcp-remote keeps in %s, which nothing uses any more? [y/N] ", dir))
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
