package sshbrowser

import (
	"errors"
	"net/url"
	"strings"
	"unicode"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	firstPort = 1024 // ports below are the system's
	maxURL    = 8192
)

// request is a validated authorization URL.
type request struct {
	url      *url.URL
	redirect *url.URL // on this machine's loopback
	state    string
}

// parse validates a request. Its errors do not contain text from the remote host.
// Loopback addresses are accepted without TLS if local is true: they are the remote
// host's too.
func parse(link string, local bool) (request, error) {
	if len(link) > maxURL {
		return request{}, errors.New("the URL is too long")
	}
	u, err := oauth.CheckURL(link) // https, or http on loopback
	if err != nil || u.Scheme != "https" && !local {
		return request{}, errors.New("only https URLs are opened")
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return request{}, errors.New("the URL's host has characters that are not ASCII")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return request{}, errors.New("the URL has a query that cannot be read")
	}
	for _, name := range []string{"response_type", "state", "redirect_uri", "code_challenge", "code_challenge_method"} {
		if len(q[name]) != 1 || q.Get(name) == "" {
			return request{}, errors.New("the URL is not an authorization request: it must have exactly one " + name)
		}
	}
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Has("request") || q.Has("request_uri") || q.Has("response_mode") {
		return request{}, errors.New("only authorization code requests with PKCE are opened")
	}
	redirect, err := oauth.CheckURL(q.Get("redirect_uri"))
	if err != nil || redirect.Scheme != "http" {
		return request{}, errors.New("the redirect URI is not http on a loopback address")
	}
	return request{u, redirect, q.Get("state")}, nil
}

// answers reports whether a query is the response to the request.
func (r request) answers(q url.Values) bool {
	return len(q["state"]) == 1 && q.Get("state") == r.state && (len(q["code"]) == 1) != (len(q["error"]) == 1)
}
