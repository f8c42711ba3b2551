package main

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

// subject returns the profile and the server that the line names; "" where it names
// none.
func (e *env) subject() (profile, server string) {
	for _, arg := range e.line.args {
		if _, err := oauth.CheckURL(arg); err == nil {
			server = cmp.Or(server, arg)
		} else {
			profile = cmp.Or(profile, arg)
		}
	}
	return profile, server
}

// discoverCommand shows how to sign in to the server of this line.
func (e *env) discoverCommand() string {
	_, server := e.subject()
	return suggest.MCPLogin("discover", cmp.Or(server, "URL")).String()
}

// doctorCommand examines the server of this line, or the profile where it names no
// server.
func (e *env) doctorCommand() string {
	profile, server := e.subject()
	return suggest.MCPLogin(doctorName, cmp.Or(server, profile, "URL")).String()
}

// pastFault is what to do where a server did not answer, or not in order.
func (e *env) pastFault(err error) string {
	text := ""
	if failed, ok := errors.AsType[*url.Error](err); ok {
		_, remedy := netfault.Explain(failed.URL, failed)
		text = strings.TrimPrefix(remedy+"\n", "\n")
	}
	if slices.Contains(e.line.path, doctorName) {
		return strings.TrimSuffix(text, "\n")
	}
	return text + "to see where it fails: " + e.doctorCommand()
}

// proxyCommand runs the proxy for the profile of this line.
func (e *env) proxyCommand(profile string) string {
	return suggest.MCPLogin("proxy", profile).With(e.storeFlags()...).String()
}

// testCommand connects to the server of the profile of this line.
func (e *env) testCommand(flags ...string) string {
	profile, _ := e.subject()
	return suggest.MCPLogin("test", cmp.Or(profile, "NAME")).With(e.storeFlags()...).With(flags...).String()
}

// showMore is the command that shows more about an error with an exit code; "" if
// none would.
func (e *env) showMore(code int, err error) string {
	_, half := errors.AsType[*mcplogin.LogoutError](err)
	switch {
	case half && code == exitFailed:
		return "" // nothing is left here to do
	case code == exitUsage:
		return suggest.MCPLogin(e.line.path...).With(helpFlag).String()
	case code == exitStore:
		return suggest.MCPLogin("store", "status").With(e.storeFlags()...).String()
	case code == exitDenied, code == exitTimedOut:
		return "to try again: " + e.line.with().String()
	case code == exitFailed && ofServer(err):
		return e.pastFault(err)
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
