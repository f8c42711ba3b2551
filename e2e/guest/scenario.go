//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	profiles = 20 // the agent keeps p0, p1, ...
	notKept  = "alone"

	// lifetime is that of an access token, which expires while the machine is suspended.
	lifetime = 30 * time.Second
	sleep    = lifetime + 10*time.Second

	home   = "/home"
	socket = home + "/agent.sock"
)

// scenario is the state that the steps share.
type scenario struct {
	report io.Writer
	server string                 // URL of the MCP server
	kept   []string               // names of the profiles that the agent keeps
	mu     sync.Mutex             // protects tokens
	tokens map[string]oauth.Token // last issued token, by profile
}

// run runs the steps, and returns the error of the first one that fails.
func (s *scenario) run() error {
	if err := s.setUp(); err != nil {
		return err
	}
	all := append([]string{notKept}, s.kept...)
	steps := []struct {
		name   string
		asked  []string // profiles to request tokens for
		change func() error
	}{
		{"fresh", all, func() error { return nil }},
		{"set forward", all, func() error { return moveClock(6 * time.Hour) }},
		// Only with an agent: without one, the clocks of two hosts may differ by that much.
		{"set back a little", s.kept, func() error { return moveClock(-time.Minute) }},
		{"set back", all, func() error { return moveClock(-9 * time.Hour) }},
		{"suspended", all, func() error { return suspend(sleep) }},
		{"set forward, without requests", all, func() error { return errors.Join(moveClock(time.Hour), s.awaitRefreshes()) }},
	}
	for jumps, step := range steps {
		begin := time.Now()
		err := step.change()
		moved := time.Now()
		if err == nil {
			err = errors.Join(s.requestTokens(step.asked), checkClockJumps(jumps))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(s.report, "ok %s: the clock by %s in %s, then %d tokens in %s\n", step.name,
			moved.Round(0).Sub(begin.Round(0)).Round(time.Millisecond), moved.Sub(begin).Round(time.Millisecond),
			len(step.asked), time.Since(moved).Round(time.Millisecond))
	}
	return nil
}

// setUp starts the server, signs in and starts the agent.
func (s *scenario) setUp() error {
	line, err := start("MCP server: ", "demo", "-access-ttl", lifetime.String(), "-auto-approve", "1ms", "-interval", "1s")
	if err != nil {
		return err
	}
	s.server = strings.TrimPrefix(line, "MCP server: ")
	for i := range profiles {
		s.kept = append(s.kept, "p"+strconv.Itoa(i))
	}
	err = inParallel(append([]string{notKept}, s.kept...), func(name string) error {
		_, err := output("mcp-login", "login", name, s.server, "--flow", "device", "--no-qr")
		return err
	})
	if err != nil {
		return err
	}
	s.tokens = map[string]oauth.Token{}
	_, err = start("next: export", append([]string{"mcp-login", "agent", "--socket", socket}, s.kept...)...)
	return err
}

// requestTokens requests tokens at once, from the agent or, for the profile that it
// does not keep, from the program, and checks them.
func (s *scenario) requestTokens(names []string) error {
	return inParallel(names, func(name string) error {
		ask := fromAgent
		if name == notKept {
			ask = fromStore
		}
		token, err := ask(context.Background(), name)
		if err == nil {
			err = s.checkToken(token, s.swapToken(name, token))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

func fromAgent(ctx context.Context, name string) (oauth.Token, error) {
	c, err := (&agent.Client{Socket: socket}).Issue(ctx, name, 0, "")
	return c.Token, err
}

// swapToken records a token and returns the one that was issued before.
func (s *scenario) swapToken(name string, token oauth.Token) oauth.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.tokens[name]
	s.tokens[name] = token
	return before
}

// checkToken checks with the server that a token is valid, and that it differs from the
// previous one, because the clock has moved.
func (s *scenario) checkToken(token, before oauth.Token) error {
	if left := time.Until(token.Expiry); left <= 0 {
		return fmt.Errorf("the token expired %s ago", -left)
	}
	if token.Access == before.Access {
		return errors.New("the token is the previous one")
	}
	works, err := s.accepts(token)
	if err == nil && !works {
		return errors.New("the server rejects the token")
	}
	if err != nil || before.Access == "" || time.Until(before.Expiry) > 0 {
		return err
	}
	if works, err = s.accepts(before); works {
		return errors.New("the server accepts an expired token, so the test proves nothing")
	}
	return err
}

func (s *scenario) accepts(token oauth.Token) (bool, error) {
	req, err := http.NewRequest(http.MethodGet, s.server, nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+token.Access)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	return resp.StatusCode != http.StatusUnauthorized, resp.Body.Close()
}

// fromStore gets a token with the program, without the agent.
func fromStore(_ context.Context, name string) (t oauth.Token, err error) {
	out, err := output("mcp-login", "env", name, "--min-ttl", "1s", "--format", "json")
	if err != nil {
		return t, err
	}
	var vars struct {
		Token  string    `json:"MCP_ALONE_TOKEN"`
		Expiry time.Time `json:"MCP_ALONE_EXPIRES_AT"`
	}
	err = json.Unmarshal(out, &vars)
	return oauth.Token{Access: vars.Token, Expiry: vars.Expiry}, err
}

// checkClockJumps checks how many clock jumps the agent has counted.
func checkClockJumps(jumps int) error {
	text, err := getFromAgent("/metrics")
	want := fmt.Sprintf("\nmcp_login_agent_clock_jumps_total %d\n", jumps)
	if err == nil && !strings.Contains(string(text), want) {
		return fmt.Errorf("want %d clock jumps in the metrics: %s", jumps, text)
	}
	return err
}

// awaitRefreshes waits until no token that the agent keeps has expired, without
// requesting one.
func (s *scenario) awaitRefreshes() error {
	for fresh := 0; fresh < profiles; time.Sleep(100 * time.Millisecond) {
		text, err := getFromAgent("/v1/health")
		if err != nil {
			return err
		}
		var h agent.Health
		if err := json.Unmarshal(text, &h); err != nil {
			return err
		}
		fresh = 0
		for _, p := range h.Profiles {
			if time.Until(p.Expiry) > 0 {
				fresh++
			}
		}
	}
	return nil
}

// getFromAgent sends a GET request to the agent.
func getFromAgent(path string) ([]byte, error) {
	hc := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	resp, err := hc.Get("http://agent" + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// inParallel calls do for all names at once.
func inParallel(names []string, do func(string) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(names))
	for i, name := range names {
		wg.Go(func() { errs[i] = do(name) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
