package main

import (
	"cmp"

	"github.com/mcp-login/mcp-login/ci"
)

// job is the CI job that this process is a step of.
func (e *env) job(o *common) (ci.Job, error) {
	client, err := e.client(o)
	if err != nil {
		return ci.Job{}, err
	}
	// A runner of one's own may have its id tokens from a private address.
	issuer := cmp.Or(e.getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), e.getenv("SYSTEM_OIDCREQUESTURI"))
	return ci.Job{Provider: ci.Detect(e.getenv), Getenv: e.getenv, Out: e.out, Err: e.streams().RawErr(), HTTP: client(issuer)}, nil
}
