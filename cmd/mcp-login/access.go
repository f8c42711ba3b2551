package main

import (
	"context"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/invocation"
)

// tokenOptions are the options of env, exec, headers and token for getting a
// token.
type tokenOptions struct {
	common
	fromAgent
	login bool
}

func (o *tokenOptions) flags() []cli.Flag {
	return append([]cli.Flag{
		boolFlag("login", "Sign in if required, instead of failing with exit code 4", &o.login),
	}, o.fromAgent.flags()...)
}

// credential returns a profile's credential, whose token can be used.
func (o *tokenOptions) credential(ctx context.Context, e *call, profile string) (mcplogin.Credential, error) {
	opener := e.open(&o.common)
	from, err := opener.Source(ctx, o.agentSock, o.login)
	if err != nil {
		return mcplogin.Credential{}, err
	}
	return opener.Credential(ctx, from, profile, o.login)
}

// fromAgent is the flag of commands that can use an agent instead of a store.
type fromAgent struct{ agentSock string }

func (o *fromAgent) flags() []cli.Flag {
	return grouped(groupStore, stringFlag(invocation.AgentFlag, "Use the mcp-login agent at the socket `PATH` instead of a store", "", &o.agentSock))
}
