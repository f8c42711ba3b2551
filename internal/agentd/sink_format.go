package agentd

import (
	"bytes"
	"encoding/json"
	"fmt"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// SinkFormat is the format of a sink.
type SinkFormat string

// The formats of a sink.
const (
	SinkToken  SinkFormat = "token"  // the access token, and a newline
	SinkHeader SinkFormat = "header" // the header line, as curl -H @FILE reads it
	SinkEnv    SinkFormat = "env"    // variables, in the form of the command env --format dotenv
	SinkJSON   SinkFormat = "json"   // an agent.Answer
)

// SinkFormats returns every format.
func SinkFormats() []SinkFormat { return []SinkFormat{SinkToken, SinkHeader, SinkEnv, SinkJSON} }

// render returns the content of a file for a credential. A token that is bound to
// a key (RFC 9449) or that the format cannot represent is an error.
func (f SinkFormat) render(c mcplogin.Credential) ([]byte, error) {
	value, err := c.Authorization()
	if err != nil {
		return nil, err
	}
	switch f {
	case SinkToken:
		return []byte(c.Token.Access + "\n"), nil
	case SinkHeader:
		return []byte("Authorization: " + value + "\n"), nil
	case SinkEnv:
		return renderEnv(c, value)
	case SinkJSON:
		text, err := json.Marshal(agent.Answer{
			Profile: c.Profile, Server: c.Server, Headers: map[string]string{"Authorization": value}, Expiry: c.Token.Expiry,
		})
		return append(text, '\n'), err
	}
	return nil, fmt.Errorf("unknown format %q", string(f))
}

func renderEnv(c mcplogin.Credential, authorization string) ([]byte, error) {
	names := variables.Naming{}.Of(c.Profile)
	vars := variables.Values(names, authorization, c.Token.Access, c.Server, c.Token.Expiry)
	var text bytes.Buffer
	err := envexport.Write(&text, envexport.Dotenv, vars)
	return text.Bytes(), err
}
