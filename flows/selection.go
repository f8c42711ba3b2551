package flows

import (
	"slices"

	"github.com/mcp-login/mcp-login/oauth"
)

// Selection is the flow that a login would choose.
type Selection struct {
	Flow   string `json:"flow"`
	Issuer string `json:"issuer"`
	Why    string `json:"why"`
	Easier string `json:"easier,omitempty"` // how to sign in with less effort; "": unknown
}

// Select returns what a login that names no flow would choose here; zero if no
// flow can be used. It ignores non-interactive flows.
func (d Detection) Select(servers []oauth.Server, all ...Flow) Selection {
	for _, name := range d.Order {
		named := slices.DeleteFunc(slices.Clone(all), func(f Flow) bool {
			_, alone := f.(NonInteractive)
			return alone || f.Name() != name
		})
		if usable, err := Select(servers, named...); err == nil {
			return Selection{Flow: name, Issuer: usable[0].Server.Issuer, Why: d.Why(name), Easier: d.Easier(usable[0])}
		}
	}
	return Selection{}
}

// OnLaptop is the hint for an SSH session.
const OnLaptop = "run mcp-login ssh HOST on your laptop to open the browser there"

// Easier returns how the user could sign in with less effort than by the chosen
// flow; "" if unknown.
func (d Detection) Easier(c Choice) string {
	switch name := c.Flow.Name(); {
	case name != "device" && name != "relay" && name != "paste":
		return ""
	case d.SSH && c.Server.AuthorizationEndpoint != "":
		return OnLaptop
	case name == "paste" && !d.Relay:
		return "use --relay to sign in on your phone; mcp-login relay runs a relay for your team"
	}
	return ""
}
