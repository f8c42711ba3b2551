// Package signin prepares and runs a sign-in. It decides which flows can run and in
// which order, registers the client, applies server overrides, shows the prompt, and
// rejects a sign-in as anyone but the expected subject. It must not know the command line, the configuration or
// the stores.
package signin

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Options are the options of a sign-in.
type Options struct {
	Flow, Scope    string
	Wait           time.Duration // for the user; 0: until the code expires
	NoQR, Copy     bool
	RetryExpired   bool // request a new code even without a terminal to ask
	JSON           bool // show events, not text
	Client         Client
	Server         Overrides
	Browser        Browser
	Relay          Relay
	NonInteractive NonInteractive
	Subject        string       // the only one to accept; "": any
	InClient       ClientPrompt // shows the sign-in in an MCP client; nil: show it here
}

// Relay names the relays that a login may use.
type Relay struct {
	URLs      []string
	TokenFrom string // source of their client token
}

// Place is the environment of a sign-in.
type Place struct {
	terminal.Streams
	Secret        func(ctx context.Context, source, what string) (string, error) // reads a secret from a source
	Redirect      func(io.Writer)                                                // redirects the log to the prompt while it is shown
	RelayClient   func(url string) *http.Client
	Laptop        func() string // the socket of the browser on the user's laptop; "": none
	Environ       []string      // of a browser
	Job           *ci.Job       // the CI job that this is a step of; nil: unknown
	WithoutPerson []flows.Flow  // the non-interactive flows
	FlowTyped     bool          // the user typed Options.Flow for this one command
	Issuer        string        // the only one to accept; "": any
	Identity      func(mcplogin.Credential) ci.Identity
	SignedIn      func(mcplogin.Credential)              // called with the new credential
	Accepted      func(c mcplogin.Credential, sent bool) // called with a credential before it is stored; sent: a secret was sent
}

// SignIn is a sign-in with some options at a place.
type SignIn struct {
	Place
	Options
	here     func() flows.Environment // checked once
	recorded mcplogin.LoginOptions    // what the stored credential repeats of the options
	prompt   Prompt                   // while Run runs
}

// New prepares a sign-in, and checks its options.
func New(at Place, as *Options) (s SignIn, err error) {
	s = SignIn{Place: at, Options: *as}
	s.here = sync.OnceValue(s.look)
	s.recorded, err = s.record()
	return s, err
}

// Prompt shows the codes of the device flow to the user or a program.
type Prompt interface {
	device.PollPrompt

	// Retry asks whether to continue with a new code after one expired.
	Retry(ctx context.Context) bool

	// Close ends the prompt before the process ends.
	Close() error
}

// ClientPrompt shows a sign-in in an MCP client.
type ClientPrompt interface {
	Prompt
	authcode.Prompt
	Paste(ctx context.Context, rejected error) (string, error)
}

// Prompt returns the prompt of a login: JSON events, the CI provider's
// announcements, or text for people.
func (s SignIn) Prompt() Prompt {
	if s.InClient != nil {
		return s.InClient
	}
	if s.JSON {
		return &terminal.Events{Out: s.Out}
	}
	p := terminal.DevicePrompt{Prompt: terminal.NewPrompt(s.Streams, terminal.Options{NoQR: s.NoQR, Copy: s.Copy})}
	if s.Job != nil && s.Job.Provider.ReadsErr() {
		return ciPrompt{p, *s.Job}
	}
	return p
}

// Login prompts the user to sign in.
func (s SignIn) Login(ctx context.Context, to *mcplogin.Session, req mcplogin.LoginRequest) (c mcplogin.Credential, err error) {
	return s.run(ctx, req, to.Login)
}

// Ensure returns a credential with a valid token, and prompts the user to sign in if
// required.
func (s SignIn) Ensure(ctx context.Context, to *mcplogin.Session) (c mcplogin.Credential, err error) {
	return s.run(ctx, mcplogin.LoginRequest{}, to.Ensure)
}

// run completes the request from the options, and shows the prompt while work runs.
func (s SignIn) run(ctx context.Context, req mcplogin.LoginRequest, work func(context.Context, mcplogin.LoginRequest) (mcplogin.Credential, error)) (c mcplogin.Credential, err error) {
	if req.Register, err = s.registration(ctx); err != nil {
		return c, err
	}
	s.prompt = s.Prompt()
	defer s.prompt.Close()
	if w, ok := s.prompt.(io.Writer); ok {
		s.Redirect(w)
		defer s.Redirect(s.Err)
	}
	if err := s.choose(&req); err != nil {
		return c, err
	}
	req.Options = s.recorded
	signedIn := false // the user had to
	secret := sendsSecret(req.Register)
	req.Accept = func(c mcplogin.Credential) error {
		signedIn = true
		if err := ExpectSubject(s.Identity(c), s.Subject); err != nil {
			return err
		}
		s.Accepted(c, secret)
		return nil
	}
	c, err = s.atNamedIssuer(ctx, req, work)
	if err == nil && signedIn && !s.JSON {
		_ = s.prompt.Close() // erases the prompt
		s.SignedIn(c)
	}
	return c, err
}

// record returns the options to store with the credential.
func (s SignIn) record() (login mcplogin.LoginOptions, err error) {
	login.Flows = s.named()
	if login.Scopes, err = Scopes("scope", s.Scope); err != nil {
		return login, err
	}
	if login.Params, err = s.Browser.authParams(); err != nil {
		return login, err
	}
	if err := s.Server.apply(&login); err != nil {
		return login, err
	}
	return login, s.NonInteractive.apply(&login, s.Server.Audience)
}

// sendsSecret reports whether a login with this registration sends a secret.
func sendsSecret(r mcplogin.Registration) bool {
	return r.App.Secret != "" || r.App.Key != nil || r.InitialAccessToken != ""
}

// Scopes returns the scopes of a flag.
func Scopes(flag, text string) ([]string, error) {
	list := strings.Fields(text)
	for _, scope := range list {
		if !oauth.ValidScope(scope) {
			return nil, exit.Usagef("--%s: a scope must be ASCII without \" or \\", flag)
		}
	}
	return list, nil
}

// Next returns the command that most people run next, for the shell that they use,
// given flags that it must have.
func Next(getenv func(string) string, profile string, flags []string) string {
	words := append([]string{profile}, flags...)
	switch provider := ci.Detect(getenv); {
	case provider.CanMask():
		return suggest.MCPLogin("env", "--ci").With(words...).String()
	case provider != ci.None:
		return suggest.MCPLogin("exec").With(words...).With("--", "COMMAND").String()
	}
	format, _ := envexport.Detect(runtime.GOOS, subprocess.Parent(), getenv)
	return suggest.EvalIn(string(format), suggest.MCPLogin("env").With(words...))
}

// Ungranted returns the requested scopes that were not granted. It ignores
// offline_access unless the user typed it, and an ID token shows that openid was
// granted.
func Ungranted(c mcplogin.Credential, typed string) []string {
	return slices.DeleteFunc(c.Missing(), func(scope string) bool {
		return scope == "offline_access" && !slices.Contains(strings.Fields(typed), scope) || scope == "openid" && c.Token.ID != ""
	})
}
