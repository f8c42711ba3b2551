package report

import (
	"fmt"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Discovery is the report of discover. As JSON it is a contract: it is added to,
// never changed.
type Discovery struct {
	Server   string `json:"server"`
	Resource string `json:"resource,omitempty"`
	// Transport is sse if the server uses the HTTP+SSE transport of 2024-11-05; "":
	// unknown without a token, or Streamable HTTP.
	Transport string   `json:"transport,omitempty"`
	Scopes    []string `json:"scopes,omitempty"`
	Servers   []Server `json:"authorization_servers"`
	Errors    []string `json:"errors,omitempty"`
	// Chosen is the flow that a login would choose.
	Chosen *flows.Selection `json:"chosen,omitempty"`
}

// Server is an authorization server that was found.
type Server struct {
	Issuer       string `json:"issuer"`
	Guessed      bool   `json:"guessed,omitempty"` // it publishes nothing: the endpoints are the defaults of MCP 2025-03-26
	Registration bool   `json:"dynamic_registration"`
	Revocation   bool   `json:"revocation"`
	Flows        []Flow `json:"flows"`
	terminal.HostReport
}

// Flow is a way to sign in.
type Flow struct {
	Name   string `json:"name"`
	Relay  string `json:"relay,omitempty"` // its address
	Usable bool   `json:"usable"`
	Reason string `json:"reason,omitempty"`
}

// Discover returns the report with every text of a server sanitized. A flow that a
// server offers may still not be possible here.
func Discover(found mcplogin.Discovery, all []flows.Flow, here flows.Detection) Discovery {
	d := Discovery{
		Server: found.Server, Resource: oauth.Sanitize(found.Resource.URL, 500),
		Scopes: shown(found.Resource.Scopes), Servers: []Server{},
	}
	if found.Resource.SSE {
		d.Transport = "sse"
	}
	for _, err := range found.Errors {
		d.Errors = append(d.Errors, netfault.Text(err))
	}
	for _, srv := range found.Servers {
		s := Server{
			Issuer: oauth.Sanitize(srv.Issuer, 500), Guessed: srv.Guessed, Registration: srv.RegistrationEndpoint != "", Revocation: srv.RevocationEndpoint != "",
		}
		s.Hosts = flows.HostsOf(found.Server, srv, srv.AuthorizationEndpoint)
		s.Warning = s.Hosts.Warning()
		for _, choice := range flows.Survey([]oauth.Server{srv}, all...) {
			f := Flow{Name: choice.Flow.Name(), Relay: signin.RelayAddress(choice.Flow), Usable: choice.Err == nil}
			if choice.Err != nil {
				f.Reason = choice.Err.Error()
			}
			if f.Name == "browser" && f.Usable && !here.Browser {
				f.Usable, f.Reason = false, "no browser can be opened here: "+here.Reason
			}
			s.Flows = append(s.Flows, f)
		}
		d.Servers = append(d.Servers, s)
	}
	if chosen := here.Select(found.Servers, all...); chosen.Flow != "" {
		chosen.Issuer = oauth.Sanitize(chosen.Issuer, 500)
		d.Chosen = &chosen
	}
	return d
}

func shown(words []string) []string {
	var out []string
	for _, w := range words {
		out = append(out, oauth.Sanitize(w, 100))
	}
	return out
}

// Text returns the report for people.
func (d Discovery) Text() *terminal.Text {
	var t terminal.Text
	line := func(format string, a ...any) { t.Hanging(10, fmt.Sprintf(format, a...)) }
	detail := func(label, text string) { t.Hanging(25, fmt.Sprintf("  %-22s %s", label, text)) }
	line("server    %s", d.Server)
	if d.Resource != "" {
		line("resource  %s", d.Resource)
	}
	if d.Transport != "" {
		line("transport HTTP+SSE of 2024-11-05")
	}
	if len(d.Scopes) > 0 {
		line("scopes    %s", strings.Join(d.Scopes, " "))
	}
	for _, s := range d.Servers {
		t.Blank()
		line("issuer    %s", s.Issuer)
		if s.Guessed {
			line("guess     the server publishes no metadata; these are the default endpoints of MCP 2025-03-26")
		}
		if s.Warning != "" {
			line("warning   %s", s.Warning)
		}
		for _, f := range s.Flows {
			if f.Usable {
				detail(f.Name, s.yes()+f.at())
			} else {
				detail(f.Name, "no: "+strings.TrimPrefix(f.Reason, flows.ErrUnsupported.Error()+": "))
			}
		}
		detail("dynamic registration", s.yesNo(s.Registration))
		detail("revocation", s.yesNo(s.Revocation))
	}
	if d.Chosen != nil {
		t.Blank()
		line("sign-in   %s, %s", d.Chosen.Flow, d.Chosen.Why)
		if d.Chosen.Easier != "" {
			line("tip       %s", d.Chosen.Easier)
		}
	}
	for _, text := range d.Errors {
		t.Blank()
		line("unusable  %s", text)
	}
	return &t
}

// yes is the word for something that the server offers.
func (s Server) yes() string {
	if s.Guessed {
		return "perhaps"
	}
	return "yes"
}

func (s Server) yesNo(b bool) string {
	if b {
		return s.yes()
	}
	return "no"
}

// at says which relay a flow is.
func (f Flow) at() string {
	if f.Relay == "" {
		return ""
	}
	return ", " + f.Relay
}
