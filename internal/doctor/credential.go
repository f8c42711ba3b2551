package doctor

import "context"

// Credential is a stored credential to examine.
type Credential struct {
	State string // of it, for people
	// Connect tries it at its server, and returns what the server answered.
	Connect func(context.Context) (detail string, err error)
	// Remedy returns what to do about an error of Connect.
	Remedy func(error) string
}

// Examine tries the credential at its server.
func (c Credential) Examine(ctx context.Context) []Finding {
	call := Finding{Area: "credential", Check: "call", Result: Pass}
	detail, err := c.Connect(ctx)
	call.Detail = detail
	if err != nil {
		call.Result, call.Detail, call.Remedy = Fail, explained(err), c.Remedy(err)
	}
	return []Finding{{Area: "credential", Check: "state", Result: Pass, Detail: c.State}, call}
}
