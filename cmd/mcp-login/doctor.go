package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/doctor"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/outbound"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
)

type doctorOptions struct {
	common
	fromAgent fromAgent
	login     loginOptions // only its relays
	json      bool
}

const doctorName = "doctor"

func newDoctor(e *call) *cli.Command {
	var o doctorOptions
	return e.command(&cli.Command{
		Name: doctorName, Usage: "Find out why a sign-in does not work",
		ArgsUsage: "[NAME|URL]", UsageText: "mcp-login doctor https://mcp.notion.com/mcp\nmcp-login doctor notion",
		Description: "It checks the environment and the store. With URL or NAME, it also checks the network path to the server and its metadata. With NAME, it also sends a request with the stored credential. " +
			"It changes nothing and never prompts. The report has no secrets, so you can paste it into an issue. The exit code is 1 if a check fails.",
		Flags: slices.Concat([]cli.Flag{jsonFlag(&o.json)}, o.fromAgent.flags(), relayFlags(&o.login.Relay, &o.login.relays)),
	}, &o.common, func(ctx context.Context, args []string) error { return runDoctor(ctx, e, &o, args) })
}

// errChecksFailed ends doctor after its report has said what failed.
var errChecksFailed = errors.New("a check failed")

func runDoctor(ctx context.Context, e *call, o *doctorOptions, args []string) error {
	opener := e.open(&o.common)
	findings := examineHere(ctx, e, o, opener)
	if len(args) > 0 {
		more, err := examineServer(ctx, e, o, opener, args[0])
		if err != nil {
			return err
		}
		findings = append(findings, more...)
	}
	for i := range findings {
		findings[i].Detail = e.hidden.Clean(findings[i].Detail)
	}
	var err error
	if o.json {
		err = e.answerJSON(struct {
			Result   doctor.Result    `json:"result"`
			Findings []doctor.Finding `json:"findings"`
		}{doctor.Worst(findings), findings})
	} else {
		err = e.answerText(report.Findings(findings))
	}
	if err == nil && doctor.Worst(findings) == doctor.Fail {
		return errChecksFailed
	}
	return err
}

// examineHere checks the environment of this program.
func examineHere(ctx context.Context, e *call, o *doctorOptions, opener access.Opener) []doctor.Finding {
	options := o.login.signIn()
	local := doctor.Local{
		CACert: o.CACert, Certificates: func() error { _, err := outbound.Roots(o.CACert); return err },
		Stores: opener.Stores(), Store: o.Location(), Vault: e.getenv("VAULT_ADDR") != "" || e.Configured("vault-address") != "",
		Agent: cmp.Or(o.fromAgent.agentSock, e.getenv(invocation.AgentVariable)),
	}
	in, err := opener.SignIn(options)
	if err != nil { // the error is about servers, not about this machine
		in, _ = signin.New(signin.Place{Streams: e.streams(), Laptop: opener.Laptop}, options) // options of relays are not checked yet
	}
	if len(options.Relay.URLs) > 0 {
		if local.RelayErr = err; err == nil {
			local.Relays, local.RelayErr = in.Relays()
		}
	}
	return doctor.Environment{Getenv: e.getenv, Flows: in.Here(), Terminal: e.streams().CanAsk(), Parts: local.Parts(ctx)}.Examine(ctx)
}

// examineServer checks a server, given by its URL or by the name of a stored
// credential, which it checks too.
func examineServer(ctx context.Context, e *call, o *doctorOptions, opener access.Opener, arg string) ([]doctor.Finding, error) {
	s, server, err := opener.Addressed(ctx, o.fromAgent.agentSock, arg)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return examineURL(ctx, e, o, opener, server, mcplogin.LoginOptions{})
	}
	c, err := s.Credential(ctx)
	if errors.Is(err, mcplogin.ErrLoginRequired) {
		return []doctor.Finding{{Area: "credential", Check: arg, Result: doctor.Fail, Detail: "not signed in", Remedy: e.Remedy().LoginCommand(arg, "")}}, nil
	}
	if err != nil {
		return nil, err
	}
	findings, err := examineURL(ctx, e, o, opener, c.Server, c.Login)
	stored := doctor.Credential{State: fmt.Sprintf("%s, the token %s", s.Status(c, 0).State, report.Expires(c.Token.Expiry)), Remedy: e.Remedy().Hint, Connect: func(ctx context.Context) (string, error) {
		r, err := probe(ctx, opener, &testOptions{common: o.common}, s)
		return r.Summary(), err
	}}
	return append(findings, stored.Examine(ctx)...), err
}

func examineURL(ctx context.Context, e *call, o *doctorOptions, opener access.Opener, server string, as mcplogin.LoginOptions) ([]doctor.Finding, error) {
	client, err := opener.Servers()
	if err != nil {
		return nil, err
	}
	in, err := opener.SignIn(o.login.signIn())
	if err != nil {
		return nil, err
	}
	all, err := in.Possible(ctx)
	if err != nil {
		return nil, err
	}
	return doctor.Server{URL: server, HTTP: client(server), Flows: all, Here: in.Here(), Options: as, Remedy: e.Remedy().Hint}.Examine(ctx), nil
}
