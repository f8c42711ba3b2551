package mcpprobe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/oauth"
)

// ProtocolError means that a server could be reached and that no protocol version
// was agreed on.
type ProtocolError struct {
	Offered []string // the versions, in order; "": the newest
	Err     error
}

func (e *ProtocolError) Error() string {
	return "no protocol version was agreed on: " + e.Err.Error()
}

// Unwrap returns the server's answer to the last offer.
func (e *ProtocolError) Unwrap() error { return e.Err }

// withSessions is the newest version that begins with initialize.
const withSessions = "2025-11-25"

// known are the versions that this client supports.
func known() []string {
	return []string{mcpwire.Stateless, withSessions, "2025-06-18", "2025-03-26", "2024-11-05"}
}

// older are the versions to offer, each once, to servers that answer a newer one
// with an error in place of their own version (different-ai/openwork#3569).
func older() []string { return []string{"2025-06-18", "2025-03-26"} }

// codeVersion is the JSON-RPC error code of a server that does not support the version
// of a request (SEP-2575).
const codeVersion = -32022

// hello is how a server introduces itself.
type hello struct {
	version string
	server  implementation
}

// connect offers the version asked for, or the newest one and, where the server
// refuses that, older ones.
func (c *client) connect(ctx context.Context, version string) (hello, error) {
	offers := []string{version}
	if version == "" {
		offers = append(offers, older()...)
	}
	var err error
	for _, version := range offers {
		var h hello
		if h, err = c.offer(ctx, version); err == nil {
			return h, nil
		}
		// With another status, the message is not at fault, and no other version helps.
		if answer, ok := errors.AsType[*answerError](err); !ok || answer.status != http.StatusBadRequest && answer.status != http.StatusOK {
			return hello{}, err
		}
	}
	return hello{}, &ProtocolError{Offered: offers, Err: err}
}

// offer offers one version, or an older one to a server that does not know the
// stateless protocol.
func (c *client) offer(ctx context.Context, version string) (hello, error) {
	if version = cmp.Or(version, mcpwire.Stateless); version >= mcpwire.Stateless {
		h, err := c.discover(ctx, version)
		if _, answered := errors.AsType[*answerError](err); !answered {
			return h, err
		}
		version = withSessions
	}
	h, err := c.initialize(ctx, version)
	if err != nil {
		c.close(ctx)
	}
	return h, err
}

// discover starts with the stateless protocol.
func (c *client) discover(ctx context.Context, version string) (hello, error) {
	c.version = version
	var found struct {
		Supported []string `json:"supportedVersions"`
		Meta      struct {
			Server implementation `json:"io.modelcontextprotocol/serverInfo"`
		} `json:"_meta"`
	}
	m, err := c.request(ctx, discover, params{})
	if err == nil {
		err = m.decode(&found)
	}
	refusal, _ := errors.AsType[*answerError](err)
	switch {
	case refusal != nil && refusal.rpc != nil && refusal.rpc.Code == codeVersion:
		found.Supported = refusal.rpc.supported()
	case err != nil:
		return hello{}, err
	case slices.Contains(found.Supported, version):
		return hello{version, found.Meta.Server}, nil
	}
	if version != mcpwire.Stateless && slices.Contains(found.Supported, mcpwire.Stateless) {
		return c.discover(ctx, mcpwire.Stateless)
	}
	return hello{}, cmp.Or(err, unusable("no supported version of the stateless protocol"))
}

// supported returns the versions in an error about the version of a request.
func (e *rpcError) supported() []string {
	var data struct {
		Supported []string `json:"supported"`
	}
	_ = json.Unmarshal(e.Data, &data) // what cannot be read names none
	return data.Supported
}

// initialize begins a session.
func (c *client) initialize(ctx context.Context, version string) (hello, error) {
	c.version, c.session = "", ""
	var found struct {
		Version string         `json:"protocolVersion"`
		Server  implementation `json:"serverInfo"`
	}
	m, err := c.request(ctx, initialize, params{"protocolVersion": version, "capabilities": struct{}{}, "clientInfo": c.self})
	if err == nil {
		err = m.decode(&found)
	}
	if err != nil {
		return hello{}, err
	}
	if !slices.Contains(known(), found.Version) {
		return hello{}, unusable("unsupported protocol version %q", oauth.Sanitize(found.Version, maxShown))
	}
	c.version = found.Version
	return hello{found.Version, found.Server}, c.notify(ctx, initialized)
}
