package terminal

import (
	"context"

	"github.com/mcp-login/mcp-login/flows/device"
)

// DevicePrompt shows the codes of the device flow.
type DevicePrompt struct{ Prompt }

// ShowCode implements [device.Prompt].
func (p DevicePrompt) ShowCode(ctx context.Context, c device.Code) {
	p.Show(ctx, deviceSignIn(c))
}

func deviceSignIn(c device.Code) SignIn {
	return SignIn{
		Link: c.VerificationURI, LinkWithCode: c.VerificationURIComplete, Code: c.UserCode, Expiry: c.Expiry,
		Server: c.Server, Client: c.Client, Hosts: c.Hosts,
	}
}

// ShowPoll implements [device.PollPrompt]. The last poll is not shown: the
// command reports the outcome.
func (p DevicePrompt) ShowPoll(_ context.Context, s device.Poll) {
	if s.Next.IsZero() {
		return
	}
	progress := Progress{Next: s.Next, Err: s.Err}
	switch s.Status {
	case device.SlowDown:
		progress.Status = SlowedDown
	case device.Unreachable:
		progress.Status = Unreachable
	}
	p.Progress(progress)
}
