// Package agent is the client of "mcp-login agent", for Go programs: [Client] and
// the types of the wire. It knows nothing of the agent's server half, and needs
// neither a store nor a way to the authorization server.
//
// A program that wants a token asks with a [Client]:
//
//	s, err := mcplogin.Open(mcplogin.Config{
//		Profile: "notion",
//		Source:  mcplogin.Brokered(&agent.Client{Socket: os.Getenv("MCP_LOGIN_AGENT_SOCK")}),
//	})
//	headers, err := s.Headers(ctx)
//
// # Stability
//
// Exported names follow semantic versioning. The HTTP paths below /v1 and
// their JSON are only added to.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	// maxAnswer caps what is read of an answer: a token has 64 KiB at most.
	maxAnswer = 256 << 10
	// answerTime limits one request. It includes the wait for a person to confirm
	// it, after the requests before it.
	answerTime = 5 * time.Minute
	// maxSkew is how far this clock may be ahead of the agent's.
	maxSkew = 5 * time.Minute
)

// Client gets tokens from an agent. It needs no store and no connection to the
// authorization server. The socket can come from another host (ssh -R). On Linux,
// macOS and FreeBSD the kernel reports who listens: the client trusts only an
// agent of the same user or of root. It is a [mcplogin.Broker]: a session that has
// one returns headers and tokens, and has a Transport.
//
// Errors are those of a Session (mcplogin.ErrLoginRequired, mcplogin.ErrBound) or
// an *Error. An agent that does not run or is not trusted is
// secrets.ErrUnavailable, one that ends without an answer secrets.ErrTemporary.
type Client struct {
	// Socket is the path of the agent's socket. Required.
	Socket string
}

var _ mcplogin.Broker = (*Client)(nil)

// Issue implements mcplogin.Broker. The credential has the profile's name, its
// server, and the access token with its expiry. A minTTL close to or beyond
// the lifetime that the server gives counts as a quarter of it. A rejected token is sent as its hash.
func (c *Client) Issue(ctx context.Context, profile string, minTTL time.Duration, rejected string) (mcplogin.Credential, error) {
	query := url.Values{}
	if minTTL > 0 {
		query.Set("min_ttl", minTTL.String())
	}
	if rejected != "" {
		query.Set("rejected", Digest(rejected))
	}
	body, err := c.ask(ctx, profile, HeadersPath, query)
	if err != nil {
		return mcplogin.Credential{}, err
	}
	return read(profile, body)
}

// Status describes a credential that the agent keeps. A token with less than
// minTTL left counts as expired. All text in it comes from the agent.
func (c *Client) Status(ctx context.Context, profile string, minTTL time.Duration) (s mcplogin.Status, err error) {
	body, err := c.ask(ctx, profile, "", url.Values{"min_ttl": {minTTL.String()}})
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(body, &s); err != nil || s.Profile != profile {
		return s, unusable("the answer is not a profile status")
	}
	return s, nil
}

// Profiles returns the names of the profiles that the socket issues tokens for.
func (c *Client) Profiles(ctx context.Context) ([]string, error) {
	body, err := c.ask(ctx, "", "", nil)
	if err != nil {
		return nil, err
	}
	var all ProfileList
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, unusable("the answer is not a list of profiles")
	}
	for _, name := range all.Profiles {
		if secrets.CheckName(name) != nil {
			return nil, unusable("the answer contains an invalid name")
		}
	}
	return all.Profiles, nil
}

// ask makes one request about a profile, or about all if profile is "".
func (c *Client) ask(ctx context.Context, profile, what string, query url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	path := ProfilesPath
	if profile != "" {
		if err := secrets.CheckName(profile); err != nil {
			return nil, fmt.Errorf("profile %q: %w", profile, err)
		}
		path += "/" + url.PathEscape(profile) + what
	}
	body, status, err := c.get(ctx, path+"?"+query.Encode())
	if err == nil && status != http.StatusOK {
		err = refusal(profile, status, body)
	}
	return body, err
}

// get makes one request on a new connection, and closes it.
func (c *Client) get(ctx context.Context, path string) (body []byte, status int, err error) {
	resp, err := c.send(ctx, http.MethodGet, path)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, 0, c.lost(ctx, err)
	}
	return body, resp.StatusCode, nil
}

// send sends one request on a new connection.
func (c *Client) send(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	return resp, nil
}

// refusal reads an error answer.
func refusal(profile string, status int, body []byte) error {
	var e Error
	if json.Unmarshal(body, &e) != nil || e.Code == "" {
		return &Error{Code: CodeFailed, Message: fmt.Sprintf("HTTP %d: this is not an mcp-login agent", status)}
	}
	e.Message = oauth.Sanitize(e.Message, maxMessage)
	if e.Code == CodeLogin {
		return &mcplogin.LoginRequiredError{
			Profile: profile, Server: oauth.Sanitize(e.Server, maxMessage), Reason: oauth.Sanitize(e.Reason, maxMessage),
		}
	}
	e.Code = Code(oauth.Sanitize(string(e.Code), 40))
	return &e
}

// read reads an answer, which can be hostile: it rejects a token that no header
// can carry, and a server URL that no token may be sent to.
func read(profile string, body []byte) (mcplogin.Credential, error) {
	var a Answer
	if err := json.Unmarshal(body, &a); err != nil {
		return mcplogin.Credential{}, unusable("the answer is not JSON")
	}
	token, isBearer := strings.CutPrefix(a.Headers["Authorization"], "Bearer ")
	if !isBearer || token == "" {
		return mcplogin.Credential{}, unusable("the answer has no bearer token")
	}
	if !a.Expiry.IsZero() && time.Since(a.Expiry) > maxSkew {
		return mcplogin.Credential{}, unusable("its token has expired")
	}
	c := mcplogin.Credential{
		Profile: profile, Server: a.Server,
		Token: oauth.Token{Access: token, Type: "Bearer", Expiry: a.Expiry},
	}
	if invalid, ok := errors.AsType[*mcplogin.RecordError](c.Validate()); ok {
		return mcplogin.Credential{}, unusable(invalid.Field + " " + invalid.Reason)
	}
	return c, nil
}

func unusable(what string) error { return fmt.Errorf("%w of the agent: %s", oauth.ErrAnswer, what) }
