// Package remedy maps errors to exit codes and hints, in one table. A hint is a command
// to paste, where one helps. It must not know how the commands work, nor print anything.
package remedy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// Call is the command that failed, for the commands that are suggested instead.
type Call struct {
	Line   commandline.Line
	Flags  []string // that a suggested command must repeat to reach the same store or agent
	Asks   bool     // it asks an agent instead of the store
	Socket string   // of the agent that the environment names

	StoreFlags []string        // of Flags those that lead to the same store
	Profiles   func() []string // names that may have been meant; nil: unknown
	Keys       string          // the folder of the keys of stores; "": unknown
}

// For returns the exit code of an error and its hint. If the table has no hint, it is
// the command that shows more.
func (c Call) For(err error) (code int, hint string) {
	code, hint = c.table(err)
	own, isOwn := errors.AsType[*exit.Error](err)
	if hint != "" || len(c.Line.Path) == 0 || isOwn && own.Code == code && code != exit.TimedOut {
		return code, hint
	}
	return code, c.showMore(code, err)
}

// table maps errors to exit codes and hints, "" for none. What the framework rejects in
// a command line is a UsageError already. The framework's ExitCoder does not count,
// because every *exec.ExitError is one.
func (c Call) table(err error) (code int, hint string) {
	var (
		own      *exit.Error
		usage    exit.UsageError
		unknown  *confirmed.UnconfirmedError
		login    *mcplogin.LoginRequiredError
		scope    *mcplogin.InsufficientScopeError
		issuer   *mcplogin.IssuerChangedError
		unnamed  *mcplogin.UnnamedIssuerError
		server   *mcplogin.ServerChangedError
		record   *mcplogin.RecordError
		logout   *mcplogin.LogoutError
		variable *envexport.Error
		ciEnv    *cistep.NotExportedError
		port     *authcode.PortError
		param    *authcode.ParamError
		ownName  *variables.OwnNameError
		damaged  *mcplogin.UnreadableError
		kv       *vault.VersionError
		source   *secretref.SyntaxError
		option   *stores.OptionError
		config   *settings.Error
		address  *stores.AddressError
		sudo     *paths.SudoError
		link     *file.LinkError
		owner    *file.OwnerError
		keeper   *file.KeeperError
		plain    *oauth.URLError
		noRing   *stores.NoKeyringError
	)
	if code, hint, ok := c.server(err); ok {
		return code, hint
	}
	switch {
	case errors.As(err, &own):
		return own.Code, own.Hint
	case errors.As(err, &usage) && errors.As(err, &plain) && plain.Try != "" && slices.Contains(c.Line.Args, plain.URL):
		return exit.BadUsage, c.instead(plain.URL, plain.Try)
	case errors.As(err, &usage), errors.As(err, &source), errors.As(err, &option), errors.Is(err, paths.ErrNoHome):
		return exit.BadUsage, suggest.MCPLogin(c.Line.Path...).With("--help").String()
	case errors.As(err, &config):
		return exit.BadUsage, c.fileHint(err)
	case errors.As(err, &address):
		return exit.BadUsage, ""
	case errors.As(err, &sudo):
		return exit.Store, c.withoutSudo()
	case errors.As(err, &unknown):
		return exit.LoginRequired, c.howToConfirm(unknown)
	case errors.As(err, &login):
		return exit.LoginRequired, c.MeantProfile(login) + c.storeHint(c.LoginCommand(login.Profile, login.Server, force(login)...))
	case errors.As(err, &scope):
		return exit.LoginRequired, c.loginAgain(scope.Profile, addScope(scope.Scopes)...)
	case errors.As(err, &issuer):
		return exit.LoginRequired, "if the change is expected: " + c.loginAgain(issuer.Profile, "--accept-new-issuer")
	case errors.As(err, &unnamed):
		return exit.BadUsage, c.namingIssuer(unnamed)
	case errors.As(err, &server):
		return exit.Failed, "use another name, or replace it: " + c.LoginCommand(server.Profile, server.Given, "--force")
	case errors.As(err, &record) && record.Profile != "":
		return exit.Store, c.forget(record.Profile)
	case errors.As(err, &logout) && logout.Delete == nil:
		return exit.Failed, "" // nothing is left here to try again with
	case errors.As(err, &port):
		return exit.Failed, "use another --redirect-port, or leave it out to use any free port"
	case errors.As(err, &param), errors.Is(err, authcode.ErrRedirect) && !errors.Is(err, flows.ErrClient):
		return exit.BadUsage, "mcp-login login --help"
	case errors.Is(err, flows.ErrDenied), errors.Is(err, agent.ErrDenied):
		return exit.Denied, ""
	case errors.Is(err, flows.ErrExpired):
		return exit.TimedOut, ""
	case errors.As(err, &ciEnv):
		return exit.Failed, c.otherWays(ciEnv)
	case errors.As(err, &ownName):
		return exit.BadUsage, c.otherName(ownName)
	case errors.As(err, &variable):
		return exit.Failed, refusedValue(variable)
	case errors.Is(err, secrets.ErrName):
		return exit.BadUsage, ""
	case errors.As(err, &kv):
		return exit.Store, "upgrade the mount (its records are kept): " + suggest.Command{"vault", "kv", "enable-versioning", kv.Mount}.String()
	case errors.Is(err, secretref.ErrMismatch):
		return exit.Failed, "try again: " + c.Line.With().String()
	case errors.Is(err, stores.ErrNothingToUnlock):
		return exit.Failed, "to protect it with a passphrase: " + suggest.MCPLogin("store", "rekey", "--keeper", "passphrase").With(c.StoreFlags...).String()
	case errors.Is(err, secrets.ErrPassphrase):
		return exit.Store, c.passphraseHint(err)
	case errors.As(err, &noRing):
		return exit.Store, "keep the key in a file: " + c.inKeyFile()
	case vaultHint(err) != "":
		return vaultCode(err), vaultHint(err)
	case errors.Is(err, keyring.ErrUnreachable):
		return exit.Store, "run it in the desktop session that has the keyring. Or run there once: mcp-login unlock. To stop using the keyring: mcp-login store rekey --keeper key-file"
	case errors.Is(err, stores.ErrNoStore):
		return exit.Store, c.storeHint("mcp-login login NAME URL")
	case errors.Is(err, agent.ErrNotRunning):
		return exit.Store, c.startAgent()
	case errors.Is(err, secrets.ErrTemporary):
		return exit.Temporary, suggest.MCPLogin("store", "status").With(c.StoreFlags...).String()
	case oauth.Temporary(err):
		return exit.Temporary, c.faultHint(err)
	case errors.As(err, &damaged) && !c.Line.Starts("login"):
		return exit.Store, "restore it from a backup, or remove it: " + c.forget(damaged.Profile)
	case errors.As(err, &damaged):
		return exit.Store, "restore it from a backup, or replace it: " + c.Line.With("--force").String()
	case errors.As(err, &link):
		return exit.Store, c.linkHint(link.Path)
	case errors.As(err, &owner):
		return exit.Store, c.foreignHint(owner.Path)
	case errors.As(err, &keeper):
		return exit.Store, c.otherKeeper()
	case errors.Is(err, secrets.ErrUnavailable), errors.Is(err, secrets.ErrUndecryptable), errors.Is(err, mcplogin.ErrNewerRecord):
		return exit.Store, c.fileHint(err)
	}
	return exit.Failed, c.fileHint(err)
}

// Text says what failed, in the user's terms. Some errors are the whole story, whatever
// the program was about to do.
func Text(err error) string {
	for _, whole := range []error{secretref.ErrLocked, secretref.ErrMismatch} {
		if errors.Is(err, whole) {
			return whole.Error()
		}
	}
	if resource, ok := errors.AsType[*oauth.ResourceError](err); ok && resource.Below() {
		return fmt.Sprintf("the MCP server is at %s, not at %s", oauth.Sanitize(resource.Resource, maxURL), resource.Server)
	}
	return stores.Plain(denial(err, netfault.Text(err)))
}

// denial keeps the words of the server that denied a sign-in, without its endpoint and status.
func denial(err error, text string) string {
	answer, ok := errors.AsType[*oauth.Error](err)
	if !ok || !errors.Is(err, flows.ErrDenied) {
		return text
	}
	words := ""
	if answer.Description != "" {
		words = ": " + answer.Description
	}
	return strings.Replace(text, ": "+answer.Error(), words, 1)
}

const maxURL = 200 // characters

// Hint returns what helps against an error, "" if nothing is known.
func (c Call) Hint(err error) string {
	_, hint := c.For(err)
	return hint
}

// OneLine returns an error with its hint in the same line. Unset says that its variables
// are unset if a sign-in is required.
func (c Call) OneLine(err error) error {
	if err == nil {
		return nil
	}
	code, hint := c.For(err)
	text := Text(err)
	if code == exit.LoginRequired {
		text += "; its variables are now unset"
	}
	if hint != "" {
		text += ": " + hint
	}
	return &exit.Error{Code: code, Text: text}
}

// refusedValue is the hint for a value that a format cannot hold.
func refusedValue(e *envexport.Error) string {
	if !e.Value || e.Format == envexport.JSON {
		return ""
	}
	return "--format json can represent every value"
}

// addScope are the flags that ask for more scopes, if any were named.
func addScope(scopes []string) []string {
	if len(scopes) == 0 {
		return nil
	}
	return []string{"--add-scope", strings.Join(scopes, " ")}
}
