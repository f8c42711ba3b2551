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
	profiles = 20 // p0, p1, ... are kept by the agent
	notKept  = "alone"

	// life is that of an access token. It ends while the machine sleeps.
	lifetime = 30 * time.Second
	sleep    = lifetime + 10*time.Second

	home   = "/home"
	socket = home + "/agent.sock"
)

// scenario is what is known between the steps.
type scenario struct {
	report io.Writer
	server string                 // URL of the MCP server
	kept   []string               // names of the profiles that the agent keeps
	mu     sync.Mutex             // guards tokens
	tokens map[string]oauth.Token // by profile, those issued last
}

// run returns an error where there is no use in going on.
func (s *scenario) run() error {
	if err := s.setUp(); err != nil {
		return err
	}
	all := append([]string{notKept}, s.kept...)
	steps := []struct {
		name   string
		asked  []string // for profiles
		moving func() error
	}{
		{"fresh", all, func() error { return nil }},
		{"set forward", all, func() error { return moveClock(6 * time.Hour) }},
		// Without an agent the clocks of two hosts may differ by that much.
		{"set back a little", s.kept, func() error { return moveClock(-time.Minute) }},
		{"set back", all, func() error { return moveClock(-9 * time.Hour) }},
		{"suspended", all, func() error { return suspend(sleep) }},
		{"set forward, and nobody asks", all, func() error { return errors.Join(moveClock(time.Hour), s.awaitRefreshes()) }},
	}
	for jumps, step := range steps {
		begin := time.Now()
		err := step.moving()
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

// setUp starts the server, logs in and starts the agent.
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

// ask asks for tokens all at once, the agent's by its socket and the one that
// it does not keep by the program, and judges them.
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

// last returns the token that was issued before this one.
func (s *scenario) swapToken(name string, token oauth.Token) oauth.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.tokens[name]
	s.tokens[name] = token
	return before
}

// judge has the server judge a token that was issued, and the one before:
// between the two the clock has moved, so they are not the same.
func (s *scenario) checkToken(token, before oauth.Token) error {
	if left := time.Until(token.Expiry); left <= 0 {
		return fmt.Errorf("it has expired %s ago", -left)
	}
	if token.Access == before.Access {
		return errors.New("it is the old one")
	}
	works, err := s.accepts(token)
	if err == nil && !works {
		return errors.New("the server refuses it")
	}
	if err != nil || before.Access == "" || time.Until(before.Expiry) > 0 {
		return err
	}
	if works, err = s.accepts(before); works {
		return errors.New("the server takes a token that has expired: it judges nothing")
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

// fromStore gets a token by the program, without the agent.
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

// counted compares how many jumps of the clock the agent has counted.
func checkClockJumps(jumps int) error {
	text, err := getFromAgent("/metrics")
	want := fmt.Sprintf("\nmcp_login_agent_clock_jumps_total %d\n", jumps)
	if err == nil && !strings.Contains(string(text), want) {
		return fmt.Errorf("not %d jumps of the clock: %s", jumps, text)
	}
	return err
}

// refreshed waits until no token that the agent keeps has expired, without
// asking for one.
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

// agentTells gets what the agent tells beside tokens.
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

// each does something for all names at once.
func inParallel(names []string, do func(string) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(names))
	for i, name := range names {
		wg.Go(func() { errs[i] = do(name) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
