package main

import (
	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/invocation"
)

// tokenOptions say how env, exec, headers and token get a token.
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

// fromAgent is the flag of commands that can use an agent instead of a store.
type fromAgent struct{ agentSock string }

func (o *fromAgent) flags() []cli.Flag {
	return grouped(groupStore, stringFlag(invocation.AgentFlag, "Use the mcp-login agent at the socket `PATH` instead of a store", "", &o.agentSock))
}
