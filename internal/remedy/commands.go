package remedy

import (
	"cmp"
	"fmt"
	"slices"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/oauth"
)

// forget is what to run when a stored record cannot be used: remove it, then
// sign in again.
func (c Call) forget(profile string) string {
	remove := suggest.MCPLogin("clear", profile)
	if c.Asks {
		return "where the agent runs: " + remove.String() + ", then sign in again"
	}
	return remove.With(c.Flags...).String() + "\nthen: " + c.LoginCommand(profile, "")
}

// LoginCommand is what to run when a login is required, with the flags that this
// command was given to find the store, and more. Login takes a URL in the place of a name.
func (c Call) LoginCommand(profile, server string, more ...string) string {
	login := suggest.MCPLogin("login", profile)
	if _, err := oauth.CheckURL(server); err == nil {
		login = login.With(server)
	} else if _, isURL := profilename.Address(profile); !isURL {
		login = login.With("URL") // unknown or invalid
	}
	if c.Asks {
		return "where the agent runs: " + login.With(more...).String()
	}
	return login.With(c.Flags...).With(more...).String()
}

// force returns the flag without which login keeps a credential that looks valid.
func force(err *mcplogin.LoginRequiredError) []string {
	if err.Valid {
		return []string{"--force"}
	}
	return nil
}

// loginAgain is the login of a stored credential, whose server is known.
func (c Call) loginAgain(profile string, more ...string) string {
	login := suggest.MCPLogin("login", profile)
	if c.Asks {
		return "where the agent runs: " + login.With(more...).String()
	}
	return login.With(c.Flags...).With(more...).String()
}

// signsIn reports whether the command has the flags of a login.
func (c Call) signsIn() bool { return c.Line.Starts("login", "proxy") }

// storeHint is what helps where a command that works on the store finds nothing
// in it: login, unless an agent keeps the credentials.
func (c Call) storeHint(login string) string {
	if c.Asks || c.Socket == "" || !c.Line.Starts("logout", "clear", "export") {
		return login
	}
	return fmt.Sprintf("MCP_LOGIN_AGENT_SOCK is set: the agent at %s has the credentials; run this command where the agent runs", c.Socket)
}

// startAgent is the way out where no agent runs at its socket.
func (c Call) startAgent() string {
	if slices.Equal(c.Line.Path, []string{"agent", "stop"}) {
		return "if an agent runs at another socket: " + suggest.MCPLogin("agent", "stop").With("--agent-sock", "PATH").String()
	}
	start := suggest.MCPLogin("agent", "--background")
	if socket := cmp.Or(c.asked(), c.Socket); socket != "" {
		start = start.With("--socket", socket)
	}
	if _, typed := c.Line.Value("agent-sock"); typed || c.Line.Starts("agent") || c.Socket == "" {
		return "start it: " + start.String()
	}
	return "start it: " + start.String() + "\nor use the store of this machine: unset MCP_LOGIN_AGENT_SOCK"
}

// asked is the socket of the agent that the command asks, "": it asks none.
func (c Call) asked() string {
	if !c.Asks || len(c.Flags) < 2 {
		return ""
	}
	return c.Flags[1] // of --agent-sock
}

// howToConfirm names the two ways: a login here, or the names for one run. Both
// repeat what the record asks for, so it warns of a command among that.
func (c Call) howToConfirm(u *confirmed.UnconfirmedError) string {
	words := []string{"--flow", u.Flow}
	for _, n := range append(u.Named(), confirmed.Naming{Flag: "audience", Value: u.Inputs.Audience}) {
		if flag := "--" + n.Flag; n.Value != "" && n.Flag != "expect-audience" && !slices.Contains(c.Flags, flag) {
			words = append(words, flag, n.Value)
		}
	}
	login := "if you trust it: " + c.LoginCommand(u.Profile, u.Server, words...)
	if confirmed.RunsCommand(u.Named()) {
		login = "the command below contains a command from the stored record, which runs as you if you paste it; read it first\n" + login
	}
	if c.Asks {
		return login
	}
	return login + "\nor for one run: " + confirmed.Variables(u.Missing) + " " + c.Line.Again(commandline.Part.Typed).String()
}

// namingIssuer is this command with the issuer named. A command that has no
// flag for it leaves that to login.
func (c Call) namingIssuer(err *mcplogin.UnnamedIssuerError) string {
	issuer := []string{"--issuer", err.Issuer}
	for _, endpoint := range []struct{ flag, url string }{
		{"--authorization-endpoint", err.Endpoints.Authorization},
		{"--device-authorization-endpoint", err.Endpoints.DeviceAuthorization},
		{"--token-endpoint", err.Endpoints.Token},
		{"--registration-endpoint", err.Endpoints.Registration},
		{"--revocation-endpoint", err.Endpoints.Revocation},
	} {
		if endpoint.url != "" {
			issuer = append(issuer, endpoint.flag, endpoint.url)
		}
	}
	if !c.signsIn() {
		return c.LoginCommand(err.Profile, err.Server, issuer...)
	}
	return c.Line.With(issuer...).String()
}

// otherName returns the command that renames the variable. It is for one
// profile, like the flags.
func (c Call) otherName(o *variables.OwnNameError) string {
	again := suggest.MCPLogin(c.Line.Path...).With(o.Profile).With(o.Flag...).With(c.Flags...)
	if c.Line.Program != nil {
		again = again.With("--", "COMMAND")
	}
	return again.String()
}

// MeantProfile is the same command for the stored credential whose name was
// misspelled, or whose URL was typed in its place, and a line break; "" if none is
// similar.
func (c Call) MeantProfile(login *mcplogin.LoginRequiredError) string {
	if c.Profiles == nil || login.Server != "" || !slices.Contains(c.Line.Args, login.Profile) || slices.Contains(c.Line.Path, login.Profile) {
		return ""
	}
	names := c.Profiles()
	meant, ok := suggest.Closest(login.Profile, names)
	if server, isURL := profilename.Address(login.Profile); isURL {
		meant = profilename.Base(server)
		ok = slices.Contains(names, meant)
	}
	if !ok {
		return ""
	}
	return "did you mean " + meant + "? " + c.instead(login.Profile, meant) + "\n"
}

// instead is the same command with another word in the place of an argument.
func (c Call) instead(typed, meant string) string {
	return c.Line.Again(func(p commandline.Part) []string {
		if !p.IsFlag && len(p.Words) == 1 && p.Words[0] == typed {
			return []string{meant}
		}
		return p.Words
	}).String()
}
