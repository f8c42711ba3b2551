package sshbrowser

import (
	"errors"
	"net/url"
	"strconv"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	firstPort = 1024 // ports below are the system's
	maxURL    = 8192
)

// request is an authorization URL that the laptop is willing to show.
type request struct {
	url      *url.URL
	redirect *url.URL // on this machine's loopback
	state    string
}

// parse returns a request, or why the laptop does not open it. None of the errors
// repeats what the remote host sent.
func parse(link string) (request, error) {
	if len(link) > maxURL {
		return request{}, errors.New("the URL is too long")
	}
	u, err := oauth.CheckURL(link) // https, or http on loopback
	if err != nil {
		return request{}, errors.New("only https URLs are opened")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return request{}, errors.New("the URL has a query that cannot be read")
	}
	for _, name := range []string{"response_type", "state", "redirect_uri", "code_challenge", "code_challenge_method"} {
		if len(q[name]) != 1 || q.Get(name) == "" {
			return request{}, errors.New("the URL is not an authorization request: it must have one " + name)
		}
	}
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Has("request") || q.Has("request_uri") || q.Has("response_mode") {
		return request{}, errors.New("only authorization code requests with PKCE are opened")
	}
	redirect, err := loopback(q.Get("redirect_uri"))
	return request{u, redirect, q.Get("state")}, err
}

// loopback returns a redirect URI that the laptop can listen at.
func loopback(raw string) (*url.URL, error) {
	refused := errors.New("the redirect URI is not http on 127.0.0.1 with a port from 1024")
	u, err := oauth.CheckURL(raw)
	if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost" {
		return nil, refused
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil || port < firstPort || port > 65535 {
		return nil, refused
	}
	return u, nil
}

// answers reports whether a query is the response to the request.
func (r request) answers(q url.Values) bool {
	return len(q["state"]) == 1 && q.Get("state") == r.state && (len(q["code"]) == 1) != (len(q["error"]) == 1)
}
