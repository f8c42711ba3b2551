package ci

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Azure Pipelines. Commands:
// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands;
// their escapes as Microsoft's own task library writes them:
// https://github.com/microsoft/azure-pipelines-task-lib/blob/master/node/taskcommand.ts.
// The agent finds `##vso[` anywhere in a line.
var azure = behaviour{
	title:    "Azure Pipelines",
	mask:     azureMask,
	handOn:   azureHandOn,
	announce: azureAnnounce,
	summary:  azureSummary,
	idToken:  azureIDToken,
	// https://learn.microsoft.com/azure/devops/pipelines/process/variables#variable-naming-restrictions
	reserved: []string{"SYSTEM_*", "AGENT_*", "BUILD_*", "TF_BUILD", "ENDPOINT*", "INPUT*", "SECRET*", "PATH*", "SECUREFILE*"},
}

// azureAudience is the only audience of a pipeline's id token.
const azureAudience = "api://AzureADTokenExchange"

var (
	azureData     = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A")
	azureProperty = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "]", "%5D", ";", "%3B")
)

func azureMask(_ context.Context, j Job, lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "##vso[task.setsecret]%s\n", azureData.Replace(line))
	}
	_, err := fmt.Fprint(j.Out, b.String())
	return err
}

func azureHandOn(_ context.Context, j Job, vars []Var) error {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "##vso[task.setvariable variable=%s;issecret=%t]%s\n",
			azureProperty.Replace(v.Name), v.Secret, azureData.Replace(v.Value))
	}
	_, err := fmt.Fprint(j.Out, b.String())
	return err
}

func azureAnnounce(_ context.Context, j Job, n Note) error {
	text := strings.Join(n.lines(), "\n")
	_, err := fmt.Fprintf(j.Out, "##vso[task.logissue type=warning]%s\n", azureData.Replace(text))
	return err
}

// azureSummary leaves the file to the agent, which reads it when the step ends
// and clears its temporary folder after the job.
func azureSummary(_ context.Context, j Job, n Note) error {
	dir := j.Getenv("AGENT_TEMPDIRECTORY")
	if dir == "" {
		return fmt.Errorf("%w: AGENT_TEMPDIRECTORY is not set", ErrUnsupported)
	}
	path := filepath.Join(dir, "mcp-login-"+rand.Text()+".md")
	if err := os.WriteFile(path, []byte(n.markdown()), 0o600); err != nil {
		return err
	}
	_, err := fmt.Fprintf(j.Out, "##vso[task.uploadsummary]%s\n", azureData.Replace(path))
	return err
}

// azureIDToken posts as documented at
// https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create.
func azureIDToken(ctx context.Context, j Job, audience string) (string, error) {
	if audience != "" && audience != azureAudience {
		return "", fmt.Errorf("%w: Azure Pipelines gives id tokens for the audience %s alone, not %q", ErrIdentity, azureAudience, audience)
	}
	ask, token := j.Getenv("SYSTEM_OIDCREQUESTURI"), j.Getenv("SYSTEM_ACCESSTOKEN")
	if ask == "" || token == "" {
		return "", fmt.Errorf("%w: the step has no access token; map it with `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`", ErrUnsupported)
	}
	query := url.Values{"api-version": {"7.1-preview.1"}}
	if id := j.Getenv("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"); id != "" {
		query.Set("serviceConnectionId", id)
	}
	var answer struct {
		Token string `json:"oidcToken"`
	}
	err := j.ask(ctx, http.MethodPost, ask+"?"+query.Encode(), token, &answer)
	return answer.Token, err
}
