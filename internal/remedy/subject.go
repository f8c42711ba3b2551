package remedy

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// subject returns the profile and the server that the line names; "" where it names
// none.
func (c Call) subject() (profile, server string) {
	for _, arg := range c.Line.Args {
		if _, err := oauth.CheckURL(arg); err == nil {
			server = cmp.Or(server, arg)
		} else {
			profile = cmp.Or(profile, arg)
		}
	}
	return profile, server
}

// discoverCommand shows how to sign in to the server of this line.
func (c Call) discoverCommand() string {
	profile, server := c.subject()
	if server == "" && profile != "" {
		return suggest.MCPLogin("discover", profile).With(c.Flags...).String()
	}
	return suggest.MCPLogin("discover", cmp.Or(server, "URL")).String()
}

// doctorCommand examines the server of this line, or the profile where it names no
// server.
func (c Call) doctorCommand() string {
	profile, server := c.subject()
	return suggest.MCPLogin("doctor", cmp.Or(server, profile, "URL")).String()
}

// faultHint is what to do where a server did not answer, or not in order.
func (c Call) faultHint(err error) string {
	text := ""
	if failed, ok := errors.AsType[*url.Error](err); ok {
		text = strings.TrimPrefix(netfault.Remedy(failed)+"\n", "\n")
	}
	if answer, ok := errors.AsType[*oauth.Error](err); ok {
		text = c.statusHint(answer) + "\n"
	}
	if slices.Contains(c.Line.Path, "doctor") {
		return strings.TrimSuffix(text, "\n")
	}
	return text + "to see where it fails: " + c.doctorCommand()
}

// statusHint is what to do about a server that answered with a status of HTTP alone, or
// with an error of OAuth that no other hint is for.
func (c Call) statusHint(answer *oauth.Error) string {
	_, server := c.subject()
	switch status := answer.Status; {
	case status == http.StatusTooManyRequests && answer.RetryAfter > 0:
		return "try again in " + printable.Duration(answer.RetryAfter)
	case status == http.StatusTooManyRequests:
		return "try again later"
	case answer.Code == "" && answer.Endpoint == server && (status < 500 || status == http.StatusNotImplemented):
		return "check the URL and its path; many servers use /mcp"
	case status >= 500:
		return "try again later, or ask the server's operator to fix it"
	}
	return "ask the server's operator what it means"
}

// proxyCommand runs the proxy for the profile of this line.
func (c Call) proxyCommand(profile string) string {
	return suggest.MCPLogin("proxy", profile).With(c.StoreFlags...).String()
}

// testCommand connects to the server of the profile of this line.
func (c Call) testCommand(flags ...string) string {
	profile, _ := c.subject()
	return suggest.MCPLogin("test", cmp.Or(profile, "NAME")).With(c.StoreFlags...).With(flags...).String()
}

// showMore is the command that shows more about an error with an exit code; "" if
// none would.
func (c Call) showMore(code int, err error) string {
	_, half := errors.AsType[*mcplogin.LogoutError](err)
	switch {
	case half && code == exit.Failed:
		return "" // nothing is left here to do
	case code == exit.BadUsage:
		return suggest.MCPLogin(c.Line.Path...).With(commandline.HelpFlag).String()
	case code == exit.Store:
		return suggest.MCPLogin("store", "status").With(c.StoreFlags...).String()
	case code == exit.Denied, code == exit.TimedOut:
		return "to try again: " + c.Line.With().String()
	case code == exit.Failed && ofServer(err):
		return c.faultHint(err)
	}
	return ""
}

// ofServer reports an error about what a server sent or is.
func ofServer(err error) bool {
	return slices.ContainsFunc([]func(error) bool{
		is[*oauth.Error], is[*oauth.URLError], is[*oauth.AddressError], is[*oauth.TooLongError],
		func(err error) bool {
			return errors.Is(err, oauth.ErrAnswer) || errors.Is(err, oauth.ErrUnsupported) || errors.Is(err, flows.ErrClient)
		},
	}, func(matches func(error) bool) bool { return matches(err) })
}

// is reports whether an error of a type is among those that err wraps.
func is[E error](err error) bool {
	_, found := errors.AsType[E](err)
	return found
}
