package clientconfig

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Editor changes the files of clients and says what it has done. It is handed what
// talks to the user.
type Editor struct {
	Places  Places
	File    string // in place of the client's own; "": that
	Say     func(format string, args ...any)
	Agree   func(ctx context.Context, question, undone string) error // an error, unless the user agrees or has agreed
	Confirm func(ctx context.Context, question string) (bool, error)
}

// FileOf returns the path of the file of a client, "" if it is not known here.
func (e Editor) FileOf(client Client) string { return cmp.Or(e.File, client.File(e.Places)) }

// known returns the file to change.
func (e Editor) known(client Client) (string, error) {
	file := e.FileOf(client)
	if file == "" {
		return "", exit.Usagef("the configuration file of %s is unknown; use --for CLIENT or --file FILE", client.Title)
	}
	return file, nil
}

// Write puts an entry into the client's file, and reports whether that has changed.
func (e Editor) Write(client Client, entry Entry, via Via) (changed bool, err error) {
	file, err := e.known(client)
	if err != nil {
		return false, err
	}
	err = exclusively(file, func() error {
		change, err := client.Add(file, entry, via)
		if err != nil {
			return err
		}
		if change.Empty() {
			e.Say("%s already has %q", e.short(change.Path), entry.Name())
			return nil
		}
		changed = true
		return e.apply(change, fmt.Sprintf("added %q to %s", entry.Name(), e.short(change.Path)))
	})
	return changed && err == nil, err
}

// Remove takes the entry of a profile out of the client's file.
func (e Editor) Remove(client Client, profile string) error {
	file, err := e.known(client)
	if err != nil {
		return err
	}
	entry := Entry{Profile: profile}
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		e.Say("%s has no %q", e.short(file), entry.Name())
		return nil
	}
	return exclusively(file, func() error {
		change, found, err := client.Remove(file, entry)
		if err != nil {
			return err
		}
		if !found {
			e.Say("%s has no %q", e.short(file), entry.Name())
			return nil
		}
		done := fmt.Sprintf("removed %q from %s", entry.Name(), e.short(change.Path))
		if change.Gone() {
			done = fmt.Sprintf("removed %q and the file %s, which had nothing else", entry.Name(), e.short(change.Path))
		}
		return e.apply(change, done)
	})
}

// apply writes a file, and says so.
func (e Editor) apply(c Change, done string) error {
	backup, err := c.Apply()
	if err != nil {
		return err
	}
	if backup != "" {
		done += "; backup: " + e.short(backup)
	}
	e.Say("%s", done)
	return nil
}

// short is a path for people.
func (e Editor) short(path string) string { return paths.Dirs{Getenv: e.Places.Getenv}.Tilde(path) }

// Find returns the migrations to a program that the clients' files here need, and says
// which files it could not read.
func (e Editor) Find(program string) (all []Migration, complete bool) {
	servers, errs := Servers(e.Places)
	for _, err := range errs {
		e.Say("warning: skipped: %v", err)
	}
	return Migrations(servers, program), len(errs) == 0
}

// Migrate changes the files of migrations after a yes, and then offers to remove the
// tokens of mcp-remote, unless something may still use them. A file that cannot be
// changed does not keep the others from it.
func (e Editor) Migrate(ctx context.Context, all []Migration, complete bool) error {
	files, possible := ByFile(all)
	if len(files) > 0 {
		if err := e.Agree(ctx, fmt.Sprintf("Change %s?", strings.Join(files, ", ")), "nothing was changed"); err != nil {
			return err
		}
	}
	var failed []error
	for _, file := range files {
		failed = append(failed, exclusively(file, func() error {
			change, err := Apply(file, possible[file])
			if err != nil {
				return err
			}
			return e.apply(change, "changed "+e.short(file))
		}))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(m Migration) bool { return m.Err != nil }) || !complete {
		e.Say("kept the tokens of mcp-remote, because it may still use them")
		return nil
	}
	return e.offerToRemoveTokens(ctx)
}

// offerToRemoveTokens asks whether to remove what mcp-remote has stored, which
// holds refresh tokens in plain text.
func (e Editor) offerToRemoveTokens(ctx context.Context) error {
	dir, entries, err := OldTokens(e.Places)
	if err != nil || len(entries) == 0 {
		return err
	}
	yes, err := e.Confirm(ctx, fmt.Sprintf("Remove the tokens of mcp-remote in %s? Nothing uses them now. [y/N] ", dir))
	if errors.Is(err, secretref.ErrNoTerminal) || err == nil && !yes {
		e.Say("next: %s", suggest.Command{"rm", "-r", dir})
		return nil
	}
	if err != nil {
		return err
	}
	if err := RemoveOldTokens(dir, entries); err != nil {
		return err
	}
	e.Say("removed the tokens in %s", e.short(dir))
	return nil
}
