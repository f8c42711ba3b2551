package main

import (
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/urfave/cli/v2"
)

// browserFlags say how the flows that need a browser go about it.
func browserFlags(o *signin.Browser, params *cli.StringSlice) []cli.Flag {
	return grouped(groupBrowser,
		stringFlag("browser-command", "Open the browser with `COMMAND`; its %s, or its end, is replaced by the URL (default: BROWSER, else the system's browser)", "", &o.Command),
		boolFlag("no-browser", "Print the address instead of opening a browser", &o.Never),
		&cli.IntFlag{Name: "redirect-port", Usage: "`PORT` that the browser returns to (default: any free one)", Destination: &o.Redirect.Port, EnvVars: envVar("redirect-port")},
		stringFlag("redirect-host", "`HOST` that the browser returns to: 127.0.0.1, localhost or ::1 (default: 127.0.0.1)", "", &o.Redirect.Host),
		stringFlag("redirect-path", "`PATH` that the browser returns to (default: /callback)", "", &o.Redirect.Path),
		stringFlag("redirect-url", "Whole redirect `URL`, for servers that compare it exactly; if it leads elsewhere, you paste the final address here", "", &o.Redirect.URL),
		&cli.StringSliceFlag{Name: "auth-param", Usage: "Add `NAME=VALUE` to the authorization request, such as prompt=consent; repeat it for more", Destination: params, EnvVars: envVar("auth-param")},
		boolFlag("assume-pkce", "Sign in although the server does not advertise PKCE; S256 is sent anyway", &o.AssumePKCE),
	)
}
