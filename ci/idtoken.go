package ci

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// explicitToken takes precedence on every provider: a pipeline sets it to an ID
// token from another source, such as a Jenkins plugin.
const explicitToken = "MCP_LOGIN_ID_TOKEN"

// IDToken returns the job's ID token for an audience ("": the provider's
// default). It requests it from GitHub, Forgejo, Azure, CircleCI and Buildkite;
// GitLab and Bitbucket set it in the environment if the pipeline declares it.
// The token is a secret until it expires.
//
// IDToken parses the claims to reject a token for another audience early. It
// does not verify the signature; the receiver does.
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
	get := j.Provider.behavior().idToken
	if get == nil {
		return "", fmt.Errorf("%w: %v does not issue ID tokens to jobs; set %s to use another one", ErrUnsupported, j.Provider, explicitToken)
	}
	return get(ctx, j, audience)
}

// The variables with the URL that a job requests its ID token from.
const (
	githubTokenURL = "ACTIONS_ID_TOKEN_REQUEST_URL" // and of Forgejo
	azureTokenURL  = "SYSTEM_OIDCREQUESTURI"
)

// IDTokenURL returns the URL that [Job.IDToken] requests the token from with Job.HTTP;
// "" if it sends no request.
func (j Job) IDTokenURL() string { return cmp.Or(j.Getenv(githubTokenURL), j.Getenv(azureTokenURL)) }

// tokenFromEnv returns the value of the first variable that is set.
func tokenFromEnv(j Job, names ...string) (string, error) {
	for _, name := range names {
		if token := j.Getenv(name); token != "" {
			return token, nil
		}
	}
	return "", fmt.Errorf("%w: %s is not set", ErrUnsupported, names[0])
}

// requestIDToken sends a provider's HTTP request for an ID token.
func (j Job) requestIDToken(ctx context.Context, method, address, bearer string, response any) error {
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
		// Otherwise the response to an invalid token is a redirect to a sign-in page:
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
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxOutput)).Decode(response); err != nil {
		return fmt.Errorf("read the ID token of %v: the answer is not the expected JSON", j.Provider)
	}
	return nil
}

// checkAddress allows the job's token to be sent only over TLS or to loopback.
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
