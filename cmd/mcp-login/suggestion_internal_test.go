package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/suggest/suggesttest"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// TestHintsAreParsedBack: with any name of a profile, a server or a scope, a shell
// parses the suggested command into exactly the intended words.
func TestHintsAreParsedBack(t *testing.T) {
	const server = "https://mcp.test/~a;touch(PWNED)/$(id)/it's?a=`id`&b=!x*"
	for _, word := range suggesttest.HostileWords() {
		flags := []string{"--store", "file:" + word}
		if word != "" {
			flags = append(flags, "--ca-cert", word)
		}
		login := []string{"mcp-login", "login", word}
		for _, tt := range []struct {
			err  error
			want []string
		}{
			{&mcplogin.LoginRequiredError{Profile: word, Server: server}, slices.Concat(login, []string{server}, flags)},
			{&mcplogin.LoginRequiredError{Profile: word, Server: server, Valid: true}, slices.Concat(login, []string{server}, flags, []string{"--force"})},
			{&mcplogin.LoginRequiredError{Profile: word}, slices.Concat(login, []string{"URL"}, flags)},
			{&mcplogin.LoginRequiredError{Profile: word, Server: word}, slices.Concat(login, []string{"URL"}, flags)},
			{&mcplogin.InsufficientScopeError{Profile: word, Scopes: []string{word, word}}, slices.Concat(login, flags, []string{"--add-scope", word + " " + word})},
			{&mcplogin.InsufficientScopeError{Profile: word}, slices.Concat(login, flags)},
			{&mcplogin.IssuerChangedError{Profile: word}, slices.Concat(login, flags, []string{"--accept-new-issuer"})},
			{&mcplogin.ServerChangedError{Profile: word, Given: server}, slices.Concat(login, []string{server}, flags, []string{"--force"})},
			{&mcplogin.UnnamedIssuerError{Profile: word, Server: server, Issuer: server}, slices.Concat(login, []string{server}, flags, []string{"--issuer", server})},
			{
				&mcplogin.UnnamedIssuerError{Profile: word, Server: server, Issuer: server, Endpoints: mcplogin.Endpoints{Token: server, Registration: server}},
				slices.Concat(login, []string{server}, flags, []string{"--issuer", server, "--token-endpoint", server, "--registration-endpoint", server}),
			},
			{
				&confirmed.UnconfirmedError{Demand: confirmed.Demand{Profile: word, Server: server, Issuer: server, Flow: "jwt-bearer", Inputs: flows.Inputs{Assertion: "env:" + word}}},
				slices.Concat(login, []string{server}, flags, []string{"--flow", "jwt-bearer", "--expect-issuer", server, "--assertion-from", "env:" + word}),
			},
			{&variables.OwnNameError{Profile: word, Flag: []string{"--prefix", "X"}}, slices.Concat([]string{"mcp-login", word, "--prefix", "X"}, flags)},
			{&cistep.NotExportedError{Err: errors.New("x"), Profiles: []string{word, "b"}}, slices.Concat([]string{"mcp-login", "exec", word, "--also", "b"}, flags, []string{"--", "COMMAND"})},
		} {
			e, _, _ := testEnv(t)
			setVariables(e, map[string]string{"MCP_LOGIN_STORE": "file:" + word, "MCP_LOGIN_CA_CERT": word})
			_, hint := e.Remedy().For(tt.err)
			hint, _, _ = strings.Cut(hint, "\n")
			_, command, _ := strings.Cut(hint, "mcp-login ")
			if got := suggesttest.Words(t, "mcp-login "+command); !slices.Equal(got, suggesttest.Pasted(tt.want)) {
				t.Errorf("%T of %q: %s\nis parsed as %q\nwant         %q", tt.err, word, hint, got, suggesttest.Pasted(tt.want))
			}
		}
	}
}

// TestSuggestedLinesAreParsedBack is the same for the corrected command line in a usage
// error.
func TestSuggestedLinesAreParsedBack(t *testing.T) {
	e, _, _ := testEnv(t)
	e.Line = treeOf(allCommands(e)).Interpret(slices.Concat([]string{"env", "--ci", "--"}, suggesttest.HostileWords()))
	_, hint := e.Remedy().For(&cistep.NotExportedError{Err: &ci.UnmaskedError{Provider: ci.CircleCI}, Profiles: []string{"a"}})
	_, ways, _ := strings.Cut(hint, "the token: ")
	want := slices.Concat([]string{"mcp-login", "env", "--ci", "--allow-unmasked", "--"}, suggesttest.HostileWords())
	if got := suggesttest.Words(t, ways); !slices.Equal(got, suggesttest.Pasted(want)) {
		t.Errorf("parsed as %q\nwant      %q", got, suggesttest.Pasted(want))
	}
	if !bytes.ContainsRune([]byte(ways), '?') {
		t.Errorf("unprintable characters in %q", ways)
	}
}
