package access

import (
	"context"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
)

// Source returns the agent at a socket, or the store if the socket is "". Only if ask
// is true may the store be a new one, and the user be asked for a passphrase.
func (o Opener) Source(ctx context.Context, socket string, ask bool) (Source, error) {
	if socket == "" {
		store, err := o.OpenStore(ctx, ask)
		return Source{Store: store}, err
	}
	if o.Typed("expect-issuer") {
		return Source{}, exit.Usagef("--expect-issuer and --agent-sock cannot be used together; start the agent with --expect-issuer")
	}
	if ask {
		return Source{}, exit.Usagef("--login and --agent-sock cannot be used together; sign in where the agent runs")
	}
	return Source{Agent: &agent.Client{Socket: socket}}, nil
}

// Config returns the configuration of a session, except what only a sign-in needs.
func (o Opener) Config(from Source, profile string) (mcplogin.Config, error) {
	client, err := o.Servers()
	if err != nil {
		return mcplogin.Config{}, err
	}
	cfg := mcplogin.Config{
		Profile: profile, HTTP: client, Log: o.Log,
		MinTTL: max(o.MinTTL, 1), // 0 would mean the library's default
	}
	notes := o.Notes()
	from.into(&cfg, mcplogin.Renewal{Flows: o.nonInteractive()}, mcplogin.Trust{
		AcceptServer: signin.ExpectIssuer(o.ExpectIssuer), Known: notes.Known,
		Permit: confirmed.Permit{Notes: notes, Names: o.names, HTTP: client}.Check,
	})
	return cfg, nil
}

// Session opens a session that never prompts.
func (o Opener) Session(from Source, profile string) (*mcplogin.Session, error) {
	cfg, err := o.Config(from, profile)
	if err != nil {
		return nil, err
	}
	return mcplogin.Open(cfg)
}

// SessionAt is Session for the agent at a socket, or the store if the socket is "".
func (o Opener) SessionAt(ctx context.Context, socket, profile string) (*mcplogin.Session, error) {
	from, err := o.Source(ctx, socket, false)
	if err != nil {
		return nil, err
	}
	return o.Session(from, profile)
}

// Credential returns a credential whose token is valid for MinTTL, refreshed if that
// is due. It prompts the user to sign in only if login is true.
func (o Opener) Credential(ctx context.Context, from Source, profile string, login bool) (c mcplogin.Credential, err error) {
	s, err := o.Session(from, profile)
	if err != nil {
		return c, err
	}
	if login {
		var in signin.SignIn
		if in, err = o.SignIn(new(signin.Options)); err == nil {
			c, err = in.Ensure(ctx, s)
		}
	} else {
		c, err = s.Current(ctx)
	}
	o.Hide(c)
	if err == nil && o.MinTTL > mcplogin.DefaultMinTTL && !c.Valid(o.MinTTL) {
		o.Streams.Say("warning: the token of %q %s, which is less than --min-ttl %s", profile, report.Expires(c.Token.Expiry), printable.Duration(o.MinTTL))
	}
	return c, err
}

// Hide redacts the secrets of a credential in logs and errors.
func (o Opener) Hide(c mcplogin.Credential) {
	o.Hidden.Hide(c.Token.Access, c.Token.Refresh, c.Token.ID, c.App.Secret, c.App.RegistrationToken)
}

// WarnUnshared makes the agent in the environment read a new credential. It warns if
// the agent uses another store, because commands here use the agent and do not find the
// credential.
func (o Opener) WarnUnshared(ctx context.Context, c mcplogin.Credential) {
	sock := o.Getenv(invocation.AgentVariable)
	if sock != "" && !shared(ctx, sock, c) {
		o.Streams.Say("warning: %s is set, so commands use the agent at %s, which does not have this credential; sign in where the agent runs, or unset the variable", invocation.AgentVariable, sock)
	}
}
