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

// Options say how a person signs in, and to what.
type Options struct {
	Flow, Scope    string
	Wait           time.Duration // for a person; 0: until the code expires
	NoQR, Copy     bool
	RetryExpired   bool // fetch a fresh code even where nobody can be asked
	JSON           bool // show events, not text
	Client         Client
	Server         Overrides
	Browser        Browser
	Relay          Relay
	NonInteractive NonInteractive
	Issuer         string       // the only one to accept; "": any
	Subject        string       // likewise
	InClient       ClientPrompt // shows it in an MCP client; nil: it is shown here
}

// Relay names the relays that a login may use.
type Relay struct {
	URLs      []string
	TokenFrom string // source of the token that they want
}

// Place is where a sign-in happens, and what it can use there.
type Place struct {
	terminal.Streams
	Say            func(format string, a ...any)
	Secret         func(ctx context.Context, source, what string) (string, error) // reads a secret from a source
	Redirect       func(io.Writer)                                                // has the log written through a prompt, for as long as it shows
	RelayClient    func(url string) *http.Client
	Laptop         func() string // the socket of the browser on the user's laptop; "": there is none
	Environ        []string      // of a browser
	Job            *ci.Job       // the CI job that this is a step of; nil: unknown
	NonInteractive []flows.Flow
	FlowTyped      bool                                           // a person typed Options.Flow for this one command
	SignedIn       func(mcplogin.Credential)                      // says who signed in
	Accept         func(c mcplogin.Credential, secret bool) error // refuses a credential; secret: the login sent one
}

// Prompt shows the codes of the device flow to a person or a program.
type Prompt interface {
	device.PollPrompt

	// Retry asks whether to go on with a new code after one expired.
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

// Prompt returns what shows the codes of a login: JSON events, the CI provider's own
// notices, or text for people.
func (e Place) Prompt(o *Options) Prompt {
	if o.InClient != nil {
		return o.InClient
	}
	if o.JSON {
		return &terminal.Events{Out: e.Out}
	}
	p := terminal.DevicePrompt{Prompt: terminal.NewPrompt(e.Streams, terminal.Options{NoQR: o.NoQR, Copy: o.Copy})}
	if e.Job != nil && e.Job.Provider.ReadsErr() {
		return ciPrompt{p, *e.Job}
	}
	return p
}

// Run opens a session for work that may ask a person, completes the request from the
// options, and shows the prompt as long as work runs.
func (e Place) Run(ctx context.Context, o *Options, cfg mcplogin.Config, req mcplogin.LoginRequest, work func(*mcplogin.Session, mcplogin.LoginRequest) error) error {
	p := e.Prompt(o)
	defer p.Close()
	if w, ok := p.(io.Writer); ok {
		e.Redirect(w)
		defer e.Redirect(e.Err)
	}
	if err := e.complete(ctx, o, p, &req); err != nil {
		return err
	}
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return err
	}
	var signedIn *mcplogin.Credential // nil: nobody had to
	accept := req.Accept
	req.Accept = func(c mcplogin.Credential) error {
		signedIn = &c
		return accept(c)
	}
	err = e.atNamedIssuer(ctx, o, req, func(req mcplogin.LoginRequest) error { return work(s, req) })
	if err == nil && signedIn != nil && !o.JSON {
		_ = p.Close() // erases the prompt
		e.SignedIn(*signedIn)
	}
	return err
}

// complete puts the options into a request.
func (e Place) complete(ctx context.Context, o *Options, p Prompt, req *mcplogin.LoginRequest) (err error) {
	if err = e.choose(o, p, req); err != nil {
		return err
	}
	if req.Options, err = e.recorded(o); err != nil {
		return err
	}
	if req.Register.App.Key, err = o.NonInteractive.key(context.WithoutCancel(ctx), e); err != nil {
		return err
	}
	secret := sendsSecret(req.Register)
	req.Register.Issuer = o.Issuer
	req.Accept = func(c mcplogin.Credential) error { return e.Accept(c, secret) }
	return nil
}

// recorded returns what the stored credential repeats of the options.
func (e Place) recorded(o *Options) (login mcplogin.LoginOptions, err error) {
	login.Flows, _, _, _ = e.flowOrder(o)
	if login.Scopes, err = Scopes("scope", o.Scope); err != nil {
		return login, err
	}
	if login.Params, err = o.Browser.authParams(); err != nil {
		return login, err
	}
	if err := o.Server.apply(&login); err != nil {
		return login, err
	}
	return login, o.NonInteractive.apply(&login, o.Server.Audience)
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

// Ungranted returns the scopes that were asked for and not granted. Nobody asked for
// offline_access unless they typed it, and an id token shows that openid was granted.
func Ungranted(c mcplogin.Credential, typed string) []string {
	return slices.DeleteFunc(c.Missing(), func(scope string) bool {
		return scope == "offline_access" && !slices.Contains(strings.Fields(typed), scope) || scope == "openid" && c.Token.ID != ""
	})
}

// Renews reports whether a token is renewed without a person.
func (e Place) Renews(c mcplogin.Credential) bool {
	return c.Token.Refresh != "" || slices.ContainsFunc(e.NonInteractive, func(f flows.Flow) bool { return f.Name() == c.Flow })
}
