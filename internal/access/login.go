package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/source"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// Wish is what the login command was asked for.
type Wish struct {
	*signin.Options
	Source     source.Source
	Profile    string
	Server     string // "": the stored credential's, else the one that the user's MCP clients know
	MoreScopes []string
	Force      bool // sign in whatever is stored, and replace it
	Clients    clientconfig.Places
}

// ErrTimedOut ends a sign-in that nobody approved within --wait.
var ErrTimedOut = &exit.Error{Code: exit.TimedOut, Text: "the sign-in was not approved in time"}

// Fulfill signs in, unless the stored credential is what a sign-in would end with: then
// it says so, and asks a person at the terminal. Kept reports that the stored one stays.
func (o Opener) Fulfill(ctx context.Context, w Wish) (c mcplogin.Credential, kept bool, err error) {
	cfg, err := o.Config(w.Source, w.Profile)
	if err != nil {
		return c, false, err
	}
	cfg.Server = w.Server
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return c, false, err
	}
	c, err = s.Credential(ctx)
	req := mcplogin.LoginRequest{MoreScopes: w.MoreScopes}
	switch none := errors.Is(err, mcplogin.ErrLoginRequired); {
	case none && w.Server == "":
		if cfg.Server, err = o.known(ctx, w); err != nil {
			return c, false, err
		}
	case none:
	case err != nil && (!w.Force || errors.Is(err, secrets.ErrPassphrase)):
		return c, false, err
	case err != nil:
		req.Replace = true
	case !w.Force:
		place, err := o.Place(w.Subject)
		if err != nil {
			return c, false, err
		}
		if c, kept, err = o.standing(ctx, place, w, s, c); err == nil && kept {
			kept, err = o.keep(ctx, place, w, c)
		}
		if err != nil || kept {
			return c, kept, err
		}
	}
	if w.Wait > 0 { // a person has it for each prompt, and not for the questions before
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.Wait, ErrTimedOut)
		defer cancel()
	}
	c, err = o.Login(ctx, w.Options, cfg, req)
	if cause := context.Cause(ctx); err != nil && cause == ErrTimedOut {
		err = fmt.Errorf("sign in to %q: %w", w.Profile, cause)
	}
	return c, false, err
}

// standing reports whether a sign-in would only repeat the one that a stored credential
// is from: it asks for nothing that the credential lacks, this user may use it here, and
// its token is valid or was renewed just now. It returns the credential as it is then.
func (o Opener) standing(ctx context.Context, place signin.Place, w Wish, s *mcplogin.Session, c mcplogin.Credential) (mcplogin.Credential, bool, error) {
	if c.Refused != "" || confirmed.Demands(c) && !o.Notes().Known(c) || slices.ContainsFunc(signin.DemandingFlags(), o.Typed) ||
		signin.ExpectSubject(o.Identity(c), w.Subject) != nil {
		return c, false, nil
	}
	repeats, err := place.Repeats(w.Options, c)
	if err != nil || !repeats {
		return c, false, err
	}
	now, err := s.Current(ctx)
	if err != nil {
		o.Log.Info("the stored credential cannot be used", "profile", w.Profile, "error", err)
		return c, false, ctx.Err()
	}
	o.Hide(now)
	return now, true, nil
}

// keep says that a credential is valid, and asks whether it stays. Where nobody can be
// asked it does.
func (o Opener) keep(ctx context.Context, place signin.Place, w Wish, c mcplogin.Credential) (bool, error) {
	if w.JSON {
		return true, nil
	}
	who := o.Identity(c)
	o.Streams.Say("already %s", report.SignedIn(c, who))
	for _, row := range report.Stored(c, who, "", place.Renews(c)) {
		o.Streams.Say("%s", row)
	}
	if !o.Streams.CanAsk() {
		o.Streams.Say("nothing was done; to sign in again: %s", o.Line.With("--force"))
		return true, nil
	}
	again, err := o.Streams.Confirm(ctx, "Sign in again? [y/N] ")
	return !again, err
}

// Elsewhere returns the URL at which a person wants to sign in instead, after a sign-in
// that failed because the MCP server is elsewhere on the same host; "": nowhere.
func (o Opener) Elsewhere(ctx context.Context, w Wish, failure error) (string, error) {
	at := signin.Elsewhere(failure)
	if at == "" || w.JSON || !o.Streams.CanAsk() {
		return "", failure
	}
	o.Streams.Say("%s", remedy.Text(failure))
	yes, err := o.Streams.Confirm(ctx, fmt.Sprintf("Sign in to %s instead? [y/N] ", at))
	switch {
	case err != nil:
		return "", err
	case !yes:
		return "", failure
	}
	return at, nil
}

// known asks whether to sign in at the URL that the user's MCP clients have under the
// name of a profile.
func (o Opener) known(ctx context.Context, w Wish) (string, error) {
	found, unread := clientconfig.Named(w.Clients, w.Profile)
	for _, err := range unread {
		o.Log.Info("a configuration of an MCP client was not read", "error", err)
	}
	switch {
	case len(found) == 0:
		return "", o.unknown(w.Profile)
	case len(found) > 1 || w.JSON || !o.Streams.CanAsk():
		return "", o.unnamed(w.Profile, found)
	}
	s := found[0]
	o.Streams.Say("%q is not signed in to yet, but an MCP client has a URL for it:", w.Profile)
	o.Streams.Say("  url   %s", s.URL)
	o.Streams.Say("  from  %s", o.Dirs.Tilde(s.Where()))
	if s.Project {
		o.Streams.Say("warning: that file is part of a project: its authors chose the URL, so check it")
	}
	yes, err := o.Streams.Confirm(ctx, fmt.Sprintf("Sign in to %s? [y/N] ", s.Host()))
	if err == nil && !yes {
		err = &exit.Error{Code: exit.Denied, Text: "nothing was done"}
	}
	return s.URL, err
}

// unknown is the error of a sign-in by a name that is known nowhere.
func (o Opener) unknown(profile string) error {
	return &exit.Error{
		Code: exit.LoginRequired, Text: fmt.Sprintf("%q has no URL yet: it is not signed in to, and no MCP client has a server of this name", profile),
		Hint: o.Remedy().MeantProfile(&mcplogin.LoginRequiredError{Profile: profile}) + o.Remedy().LoginCommand(profile, ""),
	}
}

// unnamed is the error of a sign-in without a URL, with the commands that name one.
func (o Opener) unnamed(profile string, found []clientconfig.Server) error {
	where, hints := found[0].Where()+" has one", []string(nil)
	if len(found) > 1 {
		where = fmt.Sprintf("your MCP clients have %d", len(found))
	}
	for _, s := range found {
		hint := o.Remedy().LoginCommand(profile, s.URL)
		if len(found) > 1 || s.Project {
			hint = "as " + s.Where() + " has it: " + hint
		}
		if s.Project {
			hint = "if you trust the authors of this project, " + hint
		}
		hints = append(hints, hint)
	}
	return &exit.Error{
		Code: exit.LoginRequired, Hint: strings.Join(hints, "\n"),
		Text: fmt.Sprintf("sign in to %q: the URL is missing; %s under this name", profile, where),
	}
}

// Next returns the commands that most people run after a sign-in. The first works
// without the others.
func (o Opener) Next(ctx context.Context, c mcplogin.Credential) []string {
	flags := existing(o.StoreFlags())
	next := signin.Next(o.Getenv, c.Profile, slices.Concat(variables.PrefixFlag(c.Profile), flags))
	if _, err := c.Authorization(); errors.Is(err, mcplogin.ErrBound) {
		next = suggest.MCPLogin("proxy", c.Profile).With(flags...).String() // no variable can hold the proof
	}
	switch locked, err := o.Stores().StaysLocked(ctx, o.Location()); {
	case errors.Is(err, file.ErrUnsupported):
		return []string{"set MCP_LOGIN_PASSPHRASE_FILE or MCP_LOGIN_PASSPHRASE_COMMAND, because no other command asks for the passphrase", next}
	case err == nil && locked:
		return []string{suggest.MCPLogin("unlock").With(flags...).String(), next}
	}
	return []string{next}
}

// existing returns the flags that lead to a store without --keeper, which only a new one
// needs.
func existing(flags []string) (kept []string) {
	for pair := range slices.Chunk(flags, 2) {
		if pair[0] != "--keeper" {
			kept = append(kept, pair...)
		}
	}
	return kept
}
