// Package agent is the client of "mcp-login agent" for Go programs: [Client] and
// the types of the HTTP API. It does not know the server side of the agent, and
// needs neither a store nor access to the authorization server.
//
// A program gets a token with a [Client]:
//
//	s, err := mcplogin.Open(mcplogin.Config{
//		Profile: "notion",
//		Source:  mcplogin.Brokered(&agent.Client{Socket: os.Getenv("MCP_LOGIN_AGENT_SOCK")}),
//	})
//	headers, err := s.Headers(ctx)
//
// # Stability
//
// Exported names follow semantic versioning. The HTTP paths below /v1 and their
// JSON change only by additions.
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
	// maxResponse limits a response in bytes: a token has 64 KiB at most.
	maxResponse = 256 << 10
	// requestTimeout limits one request. It includes the wait until the user confirms
	// this request and those before it.
	requestTimeout = 5 * time.Minute
	// maxSkew is the largest tolerated difference of the clock to the agent's.
	maxSkew = 5 * time.Minute
)

// Client gets tokens from an agent. The socket can be forwarded from another host
// (ssh -R). On Linux, macOS and FreeBSD the kernel reports the user of the
// listening process: the client trusts only an agent of the same user or of root.
// Client is a [mcplogin.Broker], the source of a session for tokens, headers or a
// Transport.
//
// Errors are those of a Session (mcplogin.ErrLoginRequired, mcplogin.ErrBound) or
// an *Error. If the agent is not running or not trusted, the error is
// secrets.ErrUnavailable; if it closes the connection without a response,
// secrets.ErrTemporary.
type Client struct {
	// Socket is the path of the agent's socket. Required.
	Socket string
}

var _ mcplogin.Broker = (*Client)(nil)

// Issue implements mcplogin.Broker. The credential has the profile's name, its server, and the access
// token with its expiry. If the server issues tokens for barely more than minTTL, or for less, a
// quarter of their lifetime applies instead. A rejected token is sent as its hash.
func (c *Client) Issue(ctx context.Context, profile string, minTTL time.Duration, rejected string) (mcplogin.Credential, error) {
	query := url.Values{}
	if minTTL > 0 {
		query.Set("min_ttl", minTTL.String())
	}
	if rejected != "" {
		query.Set("rejected", Digest(rejected))
	}
	body, err := c.getProfile(ctx, profile, HeadersPath, query)
	if err != nil {
		return mcplogin.Credential{}, err
	}
	return parseAnswer(profile, body)
}

// Status returns the status of a credential that the agent manages. A token
// with less than minTTL left counts as expired. All text in it comes from the
// agent.
func (c *Client) Status(ctx context.Context, profile string, minTTL time.Duration) (s mcplogin.Status, err error) {
	body, err := c.getProfile(ctx, profile, "", url.Values{"min_ttl": {minTTL.String()}})
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(body, &s); err != nil || s.Profile != profile {
		return s, badResponse("the answer is not a profile status")
	}
	return s, nil
}

// Profiles returns the names of the profiles that the socket issues tokens for.
func (c *Client) Profiles(ctx context.Context) ([]string, error) {
	body, err := c.getProfile(ctx, "", "", nil)
	if err != nil {
		return nil, err
	}
	var all ProfileList
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, badResponse("the answer is not a list of profiles")
	}
	for _, name := range all.Profiles {
		if secrets.CheckName(name) != nil {
			return nil, badResponse("the answer contains an invalid name")
		}
	}
	return all.Profiles, nil
}

// getProfile sends a request about a profile, or about all profiles if profile
// is "".
func (c *Client) getProfile(ctx context.Context, profile, what string, query url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
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
		err = errorResponse(profile, status, body)
	}
	return body, err
}

// get sends a GET on a new connection and reads the response.
func (c *Client) get(ctx context.Context, path string) (body []byte, status int, err error) {
	resp, err := c.send(ctx, http.MethodGet, path)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return nil, 0, c.connectionError(ctx, err)
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
		return nil, c.connectionError(ctx, err)
	}
	return resp, nil
}

// errorResponse returns the error of an error response.
func errorResponse(profile string, status int, body []byte) error {
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

// parseAnswer parses a response, which can be hostile: it rejects a token that is not
// valid in a header, and a server URL that must not receive tokens.
func parseAnswer(profile string, body []byte) (mcplogin.Credential, error) {
	var a Answer
	if err := json.Unmarshal(body, &a); err != nil {
		return mcplogin.Credential{}, badResponse("the answer is not JSON")
	}
	token, isBearer := strings.CutPrefix(a.Headers["Authorization"], "Bearer ")
	if !isBearer || token == "" {
		return mcplogin.Credential{}, badResponse("the answer has no bearer token")
	}
	if !a.Expiry.IsZero() && time.Since(a.Expiry) > maxSkew {
		return mcplogin.Credential{}, badResponse("its token has expired")
	}
	c := mcplogin.Credential{
		Profile: profile, Server: a.Server,
		Token: oauth.Token{Access: token, Type: "Bearer", Expiry: a.Expiry},
	}
	if invalid, ok := errors.AsType[*mcplogin.RecordError](c.Validate()); ok {
		return mcplogin.Credential{}, badResponse(invalid.Field + " " + invalid.Reason)
	}
	return c, nil
}

func badResponse(what string) error { return fmt.Errorf("%w of the agent: %s", oauth.ErrAnswer, what) }
