package ci

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// explicitToken wins on every provider: a pipeline that has an id token from
// elsewhere, such as a Jenkins plugin, gives it by this name.
const explicitToken = "MCP_LOGIN_ID_TOKEN"

// IDToken returns the token by which the provider says whose job this is, for
// an audience ("": the provider's default). GitHub, Forgejo, Azure, CircleCI
// and Buildkite are asked; GitLab and Bitbucket have put it into the environment
// if the pipeline declares it. The token is a secret until it expires.
//
// The claims are read to refuse a token for another audience early; its
// signature is the receiver's to check.
func (j Job) IDToken(ctx context.Context, audience string) (string, error) {
	token, err := j.idToken(ctx, audience)
	if err != nil {
		return "", err
	}
	id, err := ParseIdentity(token)
	if err != nil {
		return "", fmt.Errorf("ID token of %v: %w", j.Provider, err)
	}
	if err := id.checkAudience(audience); err != nil {
		return "", fmt.Errorf("ID token of %v: %w", j.Provider, err)
	}
	return token, nil
}

func (j Job) idToken(ctx context.Context, audience string) (string, error) {
	if token := j.Getenv(explicitToken); token != "" {
		return token, nil
	}
	if j.Provider == None {
		return "", fmt.Errorf("%w: this is not a CI job with an ID token; set %s to use another one", ErrUnsupported, explicitToken)
	}
	get := j.Provider.behaviour().idToken
	if get == nil {
		return "", fmt.Errorf("%w: %v does not issue ID tokens to jobs; set %s to use another one", ErrUnsupported, j.Provider, explicitToken)
	}
	return get(ctx, j, audience)
}

// declared returns the first of the variables that is set.
func declared(j Job, names ...string) (string, error) {
	for _, name := range names {
		if token := j.Getenv(name); token != "" {
			return token, nil
		}
	}
	return "", fmt.Errorf("%w: %s is not set", ErrUnsupported, names[0])
}

// ask sends the one kind of request that providers answer with an id token.
func (j Job) ask(ctx context.Context, method, address, bearer string, answer any) error {
	if j.HTTP == nil {
		return fmt.Errorf("%w: the HTTP client is missing", ErrUnsupported)
	}
	if err := checkAddress(address); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("request an ID token: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	if j.Provider == Azure {
		// Else a bad token is answered with the page to sign in, by a redirect:
		// https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/identity/azure-identity/azure/identity/_credentials/azure_pipelines.py.
		req.Header.Set("X-TFS-FedAuthRedirect", "Suppress")
	}
	resp, err := j.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("request an ID token: %w", err)
	}
	defer resp.Body.Close() // read only
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("request an ID token: %v answered HTTP %d", j.Provider, resp.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxOutput)).Decode(answer); err != nil {
		return fmt.Errorf("read the ID token of %v: the answer is not the expected JSON", j.Provider)
	}
	return nil
}

// checkAddress lets the job's own token go only over TLS or to this host.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("the provider's URL for ID tokens is not valid")
	}
	if u.Scheme == "https" || u.Scheme == "http" && netcheck.IsLoopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("the provider's URL for ID tokens is not https")
}
