package doctor

import "context"

// Credential is a stored credential to examine.
type Credential struct {
	State string // for display
	// Connect uses the credential at its server, and returns the response.
	Connect func(context.Context) (detail string, err error)
	// Remedy returns what to do about an error of Connect.
	Remedy func(error) string
}

// Examine tests the credential at its server.
func (c Credential) Examine(ctx context.Context) []Finding {
	call := Finding{Area: "credential", Check: "call", Result: Pass}
	detail, err := c.Connect(ctx)
	call.Detail = detail
	if err != nil {
		call.Result, call.Detail, call.Remedy = Fail, explained(err), c.Remedy(err)
	}
	return []Finding{{Area: "credential", Check: "state", Result: Pass, Detail: c.State}, call}
}
