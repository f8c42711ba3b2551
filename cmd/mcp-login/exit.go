package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// The exit codes. They are a promise to scripts.
const (
	exitDone          = 0
	exitFailed        = 1
	exitUsage         = 2
	exitTemporary     = 3 // network, 5xx, 429: try again
	exitLoginRequired = 4
	exitDenied        = 5
	exitTimedOut      = 6
	exitStore         = 7 // unavailable or undecryptable
	exitInterrupted   = 130
)

// errTimedOut ends a login that nobody approved within --wait.
var errTimedOut = errors.New("nobody approved in time")

// codeError ends a command with a code and a text that no other error has:
// exec passes its child's code on, status --check answers with it.
type codeError struct {
	code int
	text string // "": say nothing
	hint string
}

func (e *codeError) Error() string { return e.text }

// finish tells people what happened and returns the exit code.
func (e *env) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil {
		return exitInterrupted // the sender of the signal knows
	}
	code, hint := e.verdict(err)
	if text := netfault.Text(err); text != "" && err != error(errNoCommand) {
		e.say("mcp-login: %s", e.hidden.Clean(terminal.OneLine(text)))
	}
	for line := range strings.Lines(hint) {
		lead := "hint:"
		if code == exitUsage && strings.HasSuffix(line, " "+helpFlag) {
			lead = "Run"
		}
		e.say("%s %s", lead, e.hidden.Clean(line))
	}
	return code
}

// verdict returns the exit code of an error and the way out, which every refusal
// has: where the table names none, the command that shows more.
func (e *env) verdict(err error) (code int, hint string) {
	code, hint = e.tableVerdict(err)
	own, isOwn := errors.AsType[*codeError](err)
	if hint != "" || len(e.line.path) == 0 || isOwn && own.code == code || err == error(errNoCommand) {
		return code, hint
	}
	return code, e.showMore(code, err)
}

// tableVerdict is the one table from errors to exit codes and ways out. What the
// framework finds wrong with a command line is a usageError already. The
// framework's ExitCoder means nothing here: every *exec.ExitError is one.
func (e *env) tableVerdict(err error) (code int, hint string) {
	var (
		own      *codeError
		usage    usageError
		unknown  *unconfirmedError
		login    *mcplogin.LoginRequiredError
		scope    *mcplogin.InsufficientScopeError
		issuer   *mcplogin.IssuerChangedError
		unnamed  *mcplogin.UnnamedIssuerError
		server   *mcplogin.ServerChangedError
		record   *mcplogin.RecordError
		logout   *mcplogin.LogoutError
		variable *envexport.Error
		ciEnv    notExported
		port     *authcode.PortError
		param    *authcode.ParamError
		ownName  *ownNameError
		damaged  *mcplogin.UnreadableError
		kv       *vault.VersionError
		source   *secretref.SyntaxError
		option   *stores.OptionError
		config   *settings.Error
		address  *stores.AddressError
		sudo     *paths.SudoError
		link     *file.LinkError
	)
	if code, hint, ok := e.serverVerdict(err); ok {
		return code, hint
	}
	switch {
	case errors.As(err, &own):
		return own.code, own.hint
	case err == error(errNoCommand):
		return exitUsage, "" // the help is there already
	case errors.As(err, &usage), errors.As(err, &source), errors.As(err, &option), errors.Is(err, paths.ErrNoHome):
		return exitUsage, suggest.MCPLogin(e.line.path...).With(helpFlag).String()
	case errors.As(err, &config):
		return exitUsage, whoseFolder(err)
	case errors.As(err, &address):
		return exitUsage, ""
	case errors.As(err, &sudo):
		return exitStore, e.withoutSudo()
	case errors.As(err, &unknown):
		return exitLoginRequired, e.howToConfirm(unknown)
	case errors.As(err, &login):
		return exitLoginRequired, e.meantProfile(login) + e.storeHint(e.loginCommand(login.Profile, login.Server))
	case errors.As(err, &scope):
		return exitLoginRequired, e.loginAgain(scope.Profile, addScope(scope.Scopes)...)
	case errors.As(err, &issuer):
		return exitLoginRequired, "if the change is expected: " + e.loginAgain(issuer.Profile, "--accept-new-issuer")
	case errors.As(err, &unnamed):
		return exitUsage, e.namingIssuer(unnamed)
	case errors.As(err, &server):
		return exitFailed, "use another name, or replace it: " + e.loginCommand(server.Profile, server.Given, "--force")
	case errors.As(err, &record) && record.Profile != "":
		return exitStore, e.forget(record.Profile)
	case errors.As(err, &logout) && logout.Delete == nil:
		return exitFailed, "" // nothing is left here to try again with
	case errors.As(err, &port):
		return exitFailed, "free the port, or use another --redirect-port; without the flag any free port is used"
	case errors.As(err, &param), errors.Is(err, authcode.ErrRedirect) && !errors.Is(err, flows.ErrClient):
		return exitUsage, "mcp-login login --help"
	case errors.Is(err, flows.ErrDenied), errors.Is(err, agent.ErrDenied):
		return exitDenied, ""
	case errors.Is(err, flows.ErrExpired), errors.Is(err, errTimedOut):
		return exitTimedOut, ""
	case errors.As(err, &ciEnv):
		return exitFailed, e.otherWays(ciEnv)
	case errors.As(err, &ownName):
		return exitUsage, e.otherName(ownName)
	case errors.As(err, &variable):
		return exitFailed, refusedValue(variable)
	case errors.Is(err, secrets.ErrName):
		return exitUsage, ""
	case errors.As(err, &kv):
		return exitStore, "upgrade the mount, which keeps its records: " + suggest.Command{"vault", "kv", "enable-versioning", kv.Mount}.String()
	case errors.Is(err, secrets.ErrPassphrase):
		return exitStore, "set MCP_LOGIN_PASSPHRASE_FILE or MCP_LOGIN_PASSPHRASE_COMMAND, or run once: mcp-login unlock"
	case errors.Is(err, keyring.ErrUnreachable):
		return exitStore, "run it in the desktop session that has the keyring; or there, once: mcp-login unlock, or permanently: mcp-login store rekey --keeper key-file"
	case errors.Is(err, stores.ErrNoStore):
		return exitStore, e.storeHint("mcp-login login NAME URL")
	case errors.Is(err, secrets.ErrTemporary):
		return exitTemporary, suggest.MCPLogin("store", "status").With(e.storeFlags()...).String()
	case oauth.Temporary(err):
		return exitTemporary, e.pastFault(err)
	case errors.As(err, &damaged) && !slices.Contains(e.line.path, loginName):
		return exitStore, "restore it from a backup, or remove it: " + e.forget(damaged.Profile)
	case errors.As(err, &damaged):
		return exitStore, "restore it from a backup, or replace it: " + e.line.with("--force").String()
	case errors.As(err, &link):
		return exitStore, e.pastLink(link.Path)
	case errors.Is(err, secrets.ErrUnavailable), errors.Is(err, secrets.ErrUndecryptable), errors.Is(err, mcplogin.ErrNewerRecord):
		return exitStore, whoseFolder(err)
	}
	return exitFailed, whoseFolder(err)
}

// refusedValue is the way out where a format cannot carry a value.
func refusedValue(e *envexport.Error) string {
	if !e.Value || e.Format == envexport.JSON {
		return ""
	}
	return "--format json carries every value"
}

// forget is what to run when a stored record cannot be used: remove it, then
// log in again.
func (e *env) forget(profile string) string {
	remove := suggest.MCPLogin("clear", profile)
	if _, asks := e.asksAgent(); asks {
		return "where the agent runs: " + remove.String() + ", then log in again"
	}
	return remove.With(e.again()...).String() + "\nthen: " + e.loginCommand(profile, "")
}

// loginCommand is what to run when a login is required, with the flags that this
// command was given to find the store, and more.
func (e *env) loginCommand(profile, server string, more ...string) string {
	if _, err := oauth.CheckURL(server); err != nil {
		server = "URL" // none is known, or a record or an agent has another text there
	}
	login := suggest.MCPLogin("login", profile, server)
	if _, asks := e.asksAgent(); asks {
		return "where the agent runs: " + login.With(more...).String()
	}
	return login.With(e.again()...).With(more...).String()
}

// loginAgain is the login of a stored credential, whose server is known.
func (e *env) loginAgain(profile string, more ...string) string {
	login := suggest.MCPLogin("login", profile)
	if _, asks := e.asksAgent(); asks {
		return "where the agent runs: " + login.With(more...).String()
	}
	return login.With(e.again()...).With(more...).String()
}

// meantProfile is the same command for the stored credential whose name was
// misspelled, and a line break; "" if none is similar.
func (e *env) meantProfile(login *mcplogin.LoginRequiredError) string {
	if login.Server != "" || !slices.Contains(e.line.args, login.Profile) || slices.Contains(e.line.path, login.Profile) {
		return ""
	}
	var known []string
	for _, c := range e.profileNames(context.Background(), e.line) {
		known = append(known, c.word)
	}
	meant, ok := suggest.Closest(login.Profile, known)
	if !ok {
		return ""
	}
	again := e.line.again(func(p part) []string {
		if !p.isFlag && len(p.words) == 1 && p.words[0] == login.Profile {
			return []string{meant}
		}
		return p.words
	})
	return "did you mean " + meant + "? " + again.String() + "\n"
}

// addScope are the flags that ask for more scopes, if any were named.
func addScope(scopes []string) []string {
	if len(scopes) == 0 {
		return nil
	}
	return []string{"--add-scope", strings.Join(scopes, " ")}
}
