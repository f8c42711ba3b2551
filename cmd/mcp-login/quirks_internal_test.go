package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

const quirkyServer = "https://mcp.test/mcp"

// TestQuirks runs the main path at a server with each known quirk, by each flow: it
// succeeds, or fails as the table says, with a way out.
func TestQuirks(t *testing.T) {
	for _, q := range oauthtest.Quirks() {
		t.Run(q.Name, func(t *testing.T) { takeMainPath(t, q) })
	}
}

// TestDeletedClientIsReplaced: a server that has deleted the client shows an
// error in the browser and does not redirect. If no refresh has failed because of
// that before, the second sign-in registers a new client.
func TestDeletedClientIsReplaced(t *testing.T) {
	var both []oauthtest.Quirk
	for _, q := range oauthtest.Quirks() {
		if q.Name == "client-forgotten" || q.Name == "no-refresh-token" {
			both = append(both, q)
		}
	}
	takeMainPath(t, both...)
}

// TestQuirkPairs runs the main path at servers with several quirks each, chosen so
// that every compatible pair of quirks is tested at one of them. With
// MCP_LOGIN_ALL_QUIRK_PAIRS set, each pair has a separate server.
func TestQuirkPairs(t *testing.T) {
	rows := coveringArray(oauthtest.Quirks())
	if os.Getenv("MCP_LOGIN_ALL_QUIRK_PAIRS") != "" {
		rows = everyPair(oauthtest.Quirks())
	}
	t.Logf("%d servers", len(rows))
	for _, row := range rows {
		t.Run(names(row), func(t *testing.T) { takeMainPath(t, row...) })
	}
}

func names(quirks []oauthtest.Quirk) string {
	var list []string
	for _, q := range quirks {
		list = append(list, q.Name)
	}
	return strings.Join(list, "+")
}

// steps are the steps of the main path.
var steps = []string{"login", "call", "env", "test", "proxy", "refresh", "logout"}

// takeMainPath runs it by each flow. If two quirks make it fail, the first one in
// the path does; if both affect the same step, either may.
func takeMainPath(t *testing.T, quirks ...oauthtest.Quirk) {
	for _, flow := range []string{"device", "paste"} {
		t.Run(flow, func(t *testing.T) {
			// The paste flow does not wait, and its listener cannot be in a
			// synctest bubble.
			run := func(t *testing.T, f func(*testing.T)) { f(t) }
			if flow == "device" {
				run = synctest.Test
			}
			run(t, func(t *testing.T) {
				p := newPath(t, flow, quirks)
				for _, step := range steps {
					if p.take(step) {
						return
					}
				}
			})
		})
	}
}

// path is one run of the main path.
type path struct {
	t      *testing.T
	flow   string
	quirks []oauthtest.Quirk
	srv    *oauthtest.Server
	store  secrets.Memory

	inClient bool // sign in from inside an MCP client
}

func newPath(t *testing.T, flow string, quirks []oauthtest.Quirk) *path {
	srv := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}}
	return &path{t: t, flow: flow, quirks: quirks, srv: srv.With(quirks...)}
}

// take runs a step and reports whether the path ends there.
func (p *path) take(step string) (ended bool) {
	p.t.Helper()
	err := p.run(step)
	var ends []oauthtest.Ending
	for _, q := range p.quirks {
		if q.Ends.Step == step && (q.Ends.Flow == "" || q.Ends.Flow == p.flow) {
			ends = append(ends, q.Ends)
		}
	}
	if len(ends) == 0 {
		if err != nil {
			p.t.Errorf("%s: %v", step, err)
		}
		return err != nil
	}
	e, _, _ := testEnv(p.t)
	code, hint := e.Remedy().For(err)
	as := func(ended oauthtest.Ending) bool {
		return err != nil && code == ended.Exit && strings.Contains(err.Error(), ended.Says) && strings.Contains(hint, ended.Hint)
	}
	if !slices.ContainsFunc(ends, as) {
		p.t.Errorf("%s ended with exit code %d, error %v, hint %q; want one of %+v", step, code, err, hint, ends)
	}
	if code == exit.LoginRequired && err != nil {
		p.followHint(step)
	}
	return true
}

// followHint signs in again, as the hint suggests.
func (p *path) followHint(step string) {
	err := p.run("login")
	if errors.Is(err, context.Canceled) {
		err = p.run("login") // the browser showed an error, and the user tries again
	}
	if err == nil {
		err = p.run("call")
	}
	if err != nil {
		p.t.Errorf("the second sign-in after a failed %s: %v", step, err)
	}
}

func (p *path) run(step string) error {
	s := p.session()
	switch step {
	case "login":
		if p.inClient {
			return p.loginInClient(s)
		}
		ctx, cancel := context.WithCancel(p.t.Context())
		defer cancel()
		_, err := s.Login(ctx, mcplogin.LoginRequest{Flows: []flows.Flow{p.flowFor(cancel)}})
		return err
	case "call":
		return p.call(s)
	case "env":
		return p.env(s)
	case "test":
		_, err := mcpprobe.Run(p.t.Context(), mcpprobe.Config{Session: s, Server: quirkyServer, HTTP: p.srv.Client().Transport})
		return err
	case "proxy":
		return p.proxy(s)
	case "refresh":
		_, err := s.Refresh(p.t.Context())
		if err == nil {
			return p.call(s)
		}
		return err
	}
	err := s.Logout(p.t.Context())
	if outcome, ok := err.(*mcplogin.LogoutError); ok && outcome.Delete == nil && isUnsupported(outcome.Revoke) {
		return nil // the command reports that the access token stays valid
	}
	return err
}

// session opens a session like another process.
func (p *path) session() *mcplogin.Session {
	p.t.Helper()
	s, err := mcplogin.Open(mcplogin.Config{
		Profile: "p", Server: quirkyServer, Source: mcplogin.Stored(&p.store),
		HTTP: func(string) *http.Client { return p.srv.Client() },
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

type quiet struct{}

func (quiet) ShowCode(context.Context, device.Code)   {}
func (quiet) ShowLink(context.Context, authcode.Link) {}

// flowFor returns the flow, whose user gives up if the browser shows an error.
func (p *path) flowFor(giveUp func()) flows.Flow {
	if p.flow == "device" {
		return &device.Flow{Prompt: quiet{}}
	}
	b := &remoteBrowser{srv: p.srv, link: make(chan string, 1), giveUp: giveUp}
	return &authcode.Flow{Prompt: b, Paste: b.paste}
}

// remoteBrowser opens the URL of the prompt, and its user pastes the final URL.
type remoteBrowser struct {
	srv    *oauthtest.Server
	link   chan string
	giveUp func()
}

func (b *remoteBrowser) ShowLink(_ context.Context, l authcode.Link) { b.link <- l.URL }

func (b *remoteBrowser) paste(ctx context.Context, rejected error) (string, error) {
	if rejected != nil {
		return "", rejected
	}
	select {
	case link := <-b.link:
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
		if err != nil {
			return "", err
		}
		resp, err := b.srv.RoundTrip(req)
		if err != nil {
			return "", err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			b.giveUp()
			return "", fmt.Errorf("the browser shows HTTP error %d", resp.StatusCode)
		}
		return resp.Header.Get("Location"), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// call lists the tools of the MCP server.
func (p *path) call(s *mcplogin.Session) error {
	body := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, quirkyServer, bytes.NewReader(body))
	if err != nil {
		return err
	}
	header, err := s.Headers(p.t.Context())
	if err != nil {
		return err
	}
	if !oauth.ValidToken(strings.TrimPrefix(header.Get("Authorization"), "Bearer ")) {
		return fmt.Errorf("the header has no token")
	}
	resp, err := (&http.Client{Transport: s.Transport(nil)}).Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the MCP server responded with %d", resp.StatusCode)
	}
	return nil
}

// env prints the variables for a shell, and parses them as JSON.
func (p *path) env(s *mcplogin.Session) error {
	c, err := s.Current(p.t.Context())
	if err != nil {
		return err
	}
	var text bytes.Buffer
	vars := []envexport.Var{{Name: "TOKEN", Value: c.Token.Access}, {Name: "URL", Value: c.Server}}
	if err := errors.Join(envexport.Write(&text, envexport.Sh, vars), envexport.Write(&bytes.Buffer{}, envexport.Fish, vars)); err != nil {
		return err
	}
	text.Reset()
	if err := envexport.Write(&text, envexport.JSON, vars); err != nil {
		return err
	}
	var got map[string]string
	if err := json.Unmarshal(text.Bytes(), &got); err != nil || got["TOKEN"] != c.Token.Access || got["URL"] != c.Server {
		return fmt.Errorf("parsed %q, %v", got, err)
	}
	return nil
}

// proxy has a client list the tools through the proxy.
func (p *path) proxy(s *mcplogin.Session) error {
	up := proxy.Upstream{Session: s, Server: quirkyServer, Transport: p.srv.Client().Transport}
	in := strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"tools/list"}` + "\n")
	var out bytes.Buffer
	if err := (proxy.Stdio{Upstream: up}).Run(p.t.Context(), in, &out); err != nil {
		return err
	}
	var answer struct {
		ID     int
		Result *struct{ Tools []any }
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil || answer.ID != 7 || answer.Result == nil {
		return fmt.Errorf("the proxy responded with %q", out.Bytes())
	}
	return nil
}

// isUnsupported reports whether the server does not support revocation.
func isUnsupported(err error) bool {
	return err != nil && strings.Contains(err.Error(), oauth.ErrUnsupported.Error())
}

// compatible reports whether two quirks can apply together.
func compatible(a, b oauthtest.Quirk) bool {
	parts := strings.Split(a.Part, ",")
	return !slices.ContainsFunc(strings.Split(b.Part, ","), func(part string) bool { return slices.Contains(parts, part) })
}

// everyPair returns each pair of compatible quirks.
func everyPair(quirks []oauthtest.Quirk) (rows [][]oauthtest.Quirk) {
	for i, a := range quirks {
		for _, b := range quirks[i+1:] {
			if compatible(a, b) {
				rows = append(rows, []oauthtest.Quirk{a, b})
			}
		}
	}
	return rows
}

// coveringArray returns rows of quirks so that each compatible pair is in some row.
// It is greedy: it adds the quirk that covers the most new pairs next. A row has at
// most one quirk that ends the path, because the steps after the end are not
// tested.
func coveringArray(quirks []oauthtest.Quirk) (rows [][]oauthtest.Quirk) {
	open := map[[2]string]bool{}
	for _, pair := range everyPair(quirks) {
		if pair[0].Ends.Step == "" || pair[1].Ends.Step == "" {
			open[[2]string{pair[0].Name, pair[1].Name}] = true
		}
	}
	both := func(a, b oauthtest.Quirk) [2]string {
		if slices.IndexFunc(quirks, func(q oauthtest.Quirk) bool { return q.Name == a.Name || q.Name == b.Name }) ==
			slices.IndexFunc(quirks, func(q oauthtest.Quirk) bool { return q.Name == a.Name }) {
			return [2]string{a.Name, b.Name}
		}
		return [2]string{b.Name, a.Name}
	}
	for len(open) > 0 {
		var row []oauthtest.Quirk
		for {
			best, most := oauthtest.Quirk{}, 0
			for _, q := range quirks {
				if slices.ContainsFunc(row, func(r oauthtest.Quirk) bool {
					return !compatible(r, q) || r.Ends.Step != "" && q.Ends.Step != ""
				}) {
					continue
				}
				gain := 0
				for _, other := range quirks {
					if len(row) == 0 && open[both(q, other)] || slices.ContainsFunc(row, func(r oauthtest.Quirk) bool { return r.Name == other.Name }) && open[both(q, other)] {
						gain++
					}
				}
				if gain > most {
					best, most = q, gain
				}
			}
			if most == 0 {
				break
			}
			for _, r := range row {
				delete(open, both(best, r))
			}
			row = append(row, best)
		}
		rows = append(rows, row)
	}
	return rows
}
