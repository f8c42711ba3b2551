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
	// answerTime bounds one request. A person may be asked in it.
	answerTime = 2 * time.Minute
)

// Client asks an agent. Nothing else is needed where it runs: no store, and no
// way to the authorization server. The socket may come from another host, by
// ssh -R.
type Client struct {
	// Socket is the path of the agent's socket. Required.
	Socket string
	// MinTTL is the life that a token should have left; the agent gives a
	// quarter of a token's life at most. Zero means the agent's own.
	MinTTL time.Duration
}

// Headers returns the headers that authorize a request to the profile's MCP
// server.
func (c *Client) Headers(ctx context.Context, profile string) (http.Header, error) {
	got, err := c.Credential(ctx, profile)
	if err != nil {
		return nil, err
	}
	value, err := got.Authorization()
	return http.Header{"Authorization": {value}}, err
}

// Token returns the profile's access token. There is no refresh token in it.
func (c *Client) Token(ctx context.Context, profile string) (oauth.Token, error) {
	got, err := c.Credential(ctx, profile)
	return got.Token, err
}

// Credential returns what the agent hands out, which is the profile's name, its
// server and the access token with its expiry. Errors are as a Session's:
// mcplogin.ErrLoginRequired, mcplogin.ErrBound; else an *Error. An agent that
// does not answer is secrets.ErrUnavailable.
func (c *Client) Credential(ctx context.Context, profile string) (mcplogin.Credential, error) {
	if err := secrets.CheckName(profile); err != nil {
		return mcplogin.Credential{}, fmt.Errorf("profile %q: %w", profile, err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	body, status, err := c.get(ctx, profilePath+url.PathEscape(profile)+headersPath)
	if err != nil {
		return mcplogin.Credential{}, err
	}
	if status != http.StatusOK {
		return mcplogin.Credential{}, refusal(profile, status, body)
	}
	return read(profile, body)
}

// get makes one request, on a connection of its own: a program that asks once
// leaves nothing open.
func (c *Client) get(ctx context.Context, path string) (body []byte, status int, err error) {
	query := ""
	if c.MinTTL > 0 {
		query = "?min_ttl=" + c.MinTTL.String()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path+query, nil)
	if err != nil {
		return nil, 0, err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", c.Socket)
			if err != nil {
				return nil, &dialError{err}
			}
			return conn, nil
		},
	}
	resp, err := transport.RoundTrip(req)
	if dial, ok := errors.AsType[*dialError](err); ok {
		return nil, 0, fmt.Errorf("%w: no agent answers at %s: %w", secrets.ErrUnavailable, c.Socket, dial)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w: agent at %s: %w", secrets.ErrTemporary, c.Socket, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, 0, fmt.Errorf("%w: agent at %s: %w", secrets.ErrTemporary, c.Socket, err)
	}
	return body, resp.StatusCode, nil
}

// dialError hides that a socket's trouble counts as the network's: no agent is
// there, and trying again does not bring one.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }

// refusal reads an error answer.
func refusal(profile string, status int, body []byte) error {
	var e Error
	if json.Unmarshal(body, &e) != nil || e.Code == "" {
		return &Error{Code: CodeFailed, Message: fmt.Sprintf("HTTP %d of something that is no agent", status)}
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

// read reads an answer. The socket may be a stranger's: what is no token of
// RFC 6750 §2.1, or for no URL that a token may be sent to, is refused.
func read(profile string, body []byte) (mcplogin.Credential, error) {
	var a answer
	unusable := func(what string) (mcplogin.Credential, error) {
		return mcplogin.Credential{}, fmt.Errorf("%w of the agent: %s", oauth.ErrAnswer, what)
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return unusable("it is no JSON")
	}
	token, isBearer := strings.CutPrefix(a.Headers["Authorization"], "Bearer ")
	if !isBearer || !isToken(token) {
		return unusable("it holds no bearer token")
	}
	if _, err := oauth.CheckURL(a.Server); err != nil {
		return unusable("it names no server")
	}
	return mcplogin.Credential{
		Profile: profile, Server: a.Server,
		Token: oauth.Token{Access: token, Type: "Bearer", Expiry: a.Expiry},
	}, nil
}

// isToken is b64token of RFC 6750 §2.1, but for where its padding may stand.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~+/=", r))
	})
}
