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
	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// Login is one run of the login command.
type Login struct {
	Opener
	As         signin.SignIn
	Target     Target // without a server: that of the stored credential, else of the user's MCP clients
	From       Source
	MoreScopes []string
	Force      bool // sign in even with a valid credential, and replace it
	MCPClients clientconfig.Places
}

// ErrTimedOut means that the sign-in was not approved within --wait.
var ErrTimedOut = &exit.Error{Code: exit.TimedOut, Text: "the sign-in was not approved in time"}

// Result is how a run ended.
type Result struct {
	mcplogin.Credential
	Kept   bool // the stored one stays
	Renews bool // without the user
}

// Run signs in, unless the stored credential is what a sign-in would end with: then
// it says so, and asks the user at the terminal. Where the MCP server is elsewhere on the same host, it asks whether to sign in there.
func (l Login) Run(ctx context.Context) (Result, error) {
	r, err := l.signIn(ctx)
	if err == nil {
		return r, nil
	}
	at, err := l.elsewhere(ctx, err)
	if err != nil {
		return r, err
	}
	l.Target = l.Target.at(at)
	return l.signIn(ctx)
}

// signIn signs in to the target.
func (l Login) signIn(ctx context.Context) (r Result, err error) {
	alone := l.Target.Profile == ""
	if l.Target, err = l.Resolve(ctx, l.From, l.Target); err != nil {
		return r, err
	}
	if err := checkNew(l.Target.Profile); err != nil {
		return r, err
	}
	if alone && l.Target.Server != "" && !profilename.IsRoot(l.Target.Server) { // else the server may be below, and have another name
		l.Streams.Say("the profile is %q", l.Target.Profile)
	}
	return l.unlessValid(ctx)
}

// unlessValid signs in, unless the stored credential is valid and stays.
func (l Login) unlessValid(ctx context.Context) (r Result, err error) {
	cfg, err := l.Config(l.From, l.Target.Profile)
	if err != nil {
		return r, err
	}
	cfg.Server = l.Target.Server
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return r, err
	}
	c, err := s.Credential(ctx)
	req := mcplogin.LoginRequest{MoreScopes: l.MoreScopes}
	switch none := errors.Is(err, mcplogin.ErrLoginRequired); {
	case none && cfg.Server == "":
		if cfg.Server, err = l.known(ctx); err == nil {
			s, err = mcplogin.Open(cfg)
		}
		if err != nil {
			return r, err
		}
	case none:
	case err != nil && (!l.Force || errors.Is(err, secrets.ErrPassphrase)):
		return r, err
	case err != nil:
		req.Replace = true
	case !l.Force:
		kept := false
		if c, kept, err = l.repeatsStored(ctx, s, c); err == nil && kept {
			kept, err = l.keep(ctx, c, s.Renews(c))
		}
		if err != nil || kept {
			return Result{c, kept, s.Renews(c)}, err
		}
	}
	c, err = l.wait(ctx, s, req)
	return Result{c, false, s.Renews(c)}, err
}

// wait signs in, as long as the user may take.
func (l Login) wait(ctx context.Context, s *mcplogin.Session, req mcplogin.LoginRequest) (mcplogin.Credential, error) {
	if l.As.Wait > 0 { // the timeout applies to each prompt, not to the questions before
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, l.As.Wait, ErrTimedOut)
		defer cancel()
	}
	c, err := l.As.Login(ctx, s, req)
	if cause := context.Cause(ctx); err != nil && cause == ErrTimedOut {
		err = fmt.Errorf("sign in to %q: %w", l.Target.Profile, cause)
	}
	return c, err
}

// repeatsStored reports whether a sign-in would only repeat the one that a stored credential
// is from: it asks for nothing that the credential lacks, this user may use it here, and
// its token is valid or was renewed just now. It returns the credential as it is then.
func (l Login) repeatsStored(ctx context.Context, s *mcplogin.Session, c mcplogin.Credential) (mcplogin.Credential, bool, error) {
	if c.Refused != "" || confirmed.Demands(c) && !l.Notes().Known(c) || slices.ContainsFunc(signin.DemandingFlags(), l.Typed) ||
		signin.ExpectSubject(l.Identity(c), l.As.Subject) != nil {
		return c, false, nil
	}
	repeats, err := l.As.Repeats(c)
	if err != nil || !repeats {
		return c, false, err
	}
	now, err := s.Current(ctx)
	if err != nil {
		l.Log.Info("the stored credential cannot be used", "profile", l.Target.Profile, "error", err)
		return c, false, ctx.Err()
	}
	l.Hide(now)
	return now, true, nil
}

// keep says that a credential is valid, and asks whether to keep it. Without a
// terminal it is kept.
func (l Login) keep(ctx context.Context, c mcplogin.Credential, renews bool) (bool, error) {
	if l.As.JSON {
		return true, nil
	}
	who := l.Identity(c)
	l.Streams.Say("already %s", report.SignedIn(c, who))
	for _, row := range report.Stored(c, who, "", renews) {
		l.Streams.Say("%s", row)
	}
	if !l.Streams.CanAsk() {
		l.Streams.Say("nothing was done; to sign in again: %s", l.Line.With("--force"))
		return true, nil
	}
	again, err := l.Streams.Confirm(ctx, "Sign in again? [y/N] ")
	return !again, err
}

// elsewhere returns the URL at which the user wants to sign in instead, after a sign-in
// failed because the MCP server has another URL on the same host.
func (l Login) elsewhere(ctx context.Context, failure error) (string, error) {
	at := signin.Elsewhere(failure)
	if at == "" || l.As.JSON || !l.Streams.CanAsk() {
		return "", failure
	}
	l.Streams.Say("%s", remedy.Text(failure))
	yes, err := l.Streams.Confirm(ctx, fmt.Sprintf("Sign in to %s instead? [y/N] ", at))
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
func (l Login) known(ctx context.Context) (string, error) {
	found, unread := clientconfig.Named(l.MCPClients, l.Target.Profile)
	for _, err := range unread {
		l.Log.Info("a configuration of an MCP client was not read", "error", err)
	}
	switch {
	case len(found) == 0:
		return "", l.unknown()
	case len(found) > 1 || l.As.JSON || !l.Streams.CanAsk():
		return "", l.unnamed(found)
	}
	s := found[0]
	l.Streams.Say("%q is not signed in to yet, but an MCP client has a URL for it:", l.Target.Profile)
	l.Streams.Say("  url   %s", s.URL)
	l.Streams.Say("  from  %s", l.Dirs.Tilde(s.Where()))
	if s.Project {
		l.Streams.Say("warning: that file is part of a project: its authors chose the URL, so check it")
	}
	yes, err := l.Streams.Confirm(ctx, fmt.Sprintf("Sign in to %s? [y/N] ", s.Host()))
	if err == nil && !yes {
		err = &exit.Error{Code: exit.Denied, Text: "nothing was done"}
	}
	return s.URL, err
}

// unknown returns the error of a sign-in by an unknown name.
func (l Login) unknown() error {
	profile := l.Target.Profile
	return &exit.Error{
		Code: exit.LoginRequired, Text: fmt.Sprintf("%q has no URL yet: it is not signed in to, and no MCP client has a server of this name", profile),
		Hint: l.Remedy().MeantProfile(&mcplogin.LoginRequiredError{Profile: profile}) + l.Remedy().LoginCommand(profile, ""),
	}
}

// unnamed returns the error of a sign-in without a URL, with commands that have
// one.
func (l Login) unnamed(found []clientconfig.Server) error {
	where, hints := found[0].Where()+" has one", []string(nil)
	if len(found) > 1 {
		where = fmt.Sprintf("your MCP clients have %d", len(found))
	}
	for _, s := range found {
		hint := l.Remedy().LoginCommand(l.Target.Profile, s.URL)
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
		Text: fmt.Sprintf("sign in to %q: the URL is missing; %s under this name", l.Target.Profile, where),
	}
}

// Next returns the commands that most people run after a sign-in. The first works
// without the others.
func (l Login) Next(ctx context.Context, c mcplogin.Credential) []string {
	flags := existing(l.StoreFlags())
	next := signin.Next(l.Getenv, c.Profile, slices.Concat(variables.PrefixFlag(c.Profile), flags))
	if _, err := c.Authorization(); errors.Is(err, mcplogin.ErrBound) {
		next = suggest.MCPLogin("proxy", c.Profile).With(flags...).String() // a variable cannot contain the DPoP proof
	}
	switch locked, err := l.Stores().StaysLocked(ctx, l.Location()); {
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
