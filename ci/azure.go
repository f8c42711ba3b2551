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
// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands.
// The agent finds `##vso[` anywhere in a line
// (https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Microsoft.VisualStudio.Services.Agent/Command.cs)
// of standard output and, though that page names only the first, of standard error
// (https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Worker/Handlers/NodeHandler.cs).
var azure = behavior{
	title:    "Azure Pipelines",
	mask:     azureMask,
	ready:    azureReady,
	export:   azureExport,
	announce: azureAnnounce,
	summary:  azureSummary,
	idToken:  azureIDToken,
	// https://learn.microsoft.com/azure/devops/pipelines/process/variables#variable-naming-restrictions
	reserved: []string{"SYSTEM_*", "AGENT_*", "BUILD_*", "TF_BUILD", "ENDPOINT*", "INPUT*", "SECRET*", "PATH*", "SECUREFILE*"},
}

// azureAudience is the audience of a pipeline's ID token. According to the documentation
// a job cannot choose another one; for a decoded token see
// https://github.com/gravitational/teleport/blob/master/rfd/0211-azure-devops-joining.md.
const azureAudience = "api://AzureADTokenExchange"

// azureEscape escapes the data and properties of a command, as the agent unescapes them. The agent also
// masks a secret's value in this escaped form, which the step's debug log shows
// (https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Worker/TaskCommandExtension.cs).
var azureEscape = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "]", "%5D", ";", "%3B")

// azureCheckPercent rejects a percent sign if the job has disabled its escape: the value would be
// changed, and the right one would not be masked
// (https://github.com/microsoft/azure-pipelines-agent/blob/master/docs/design/percentEncoding.md).
func azureCheckPercent(j Job, what, text string) error {
	decode := j.Getenv("DECODE_PERCENTS")
	if decode == "" || decode == "1" || strings.EqualFold(decode, "true") || !strings.Contains(text, "%") {
		return nil
	}
	return fmt.Errorf("%w: %s contains a percent sign, and DECODE_PERCENTS is off", ErrVariable, what)
}

func azureMask(_ context.Context, j Job, lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		if err := azureCheckPercent(j, "a secret", line); err != nil {
			return err
		}
		fmt.Fprintf(&b, "##vso[task.setsecret]%s\n", azureEscape.Replace(line))
	}
	return j.command(b.String())
}

// azureReady rejects secrets of several lines, because the agent rejects them
// and fails the step: see TaskCommandExtension.cs above.
func azureReady(j Job, vars []Var) error {
	for _, v := range vars {
		if err := azureCheckPercent(j, "the value of "+v.Name, v.Value); err != nil {
			return err
		}
		if err := oneLine(v); err != nil && v.Secret {
			return err
		}
	}
	return nil
}

func azureExport(_ context.Context, j Job, vars []Var) error {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "##vso[task.setvariable variable=%s;issecret=%t]%s\n",
			azureEscape.Replace(v.Name), v.Secret, azureEscape.Replace(v.Value))
	}
	return j.command(b.String())
}

// azureAnnounce logs an issue. The agent sends it, and the log, within half a second, while the step
// runs
// (https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Worker/ExecutionContext.cs
// and JobServerQueue.cs, which announce.go names).
func azureAnnounce(ctx context.Context, j Job, n Note) error {
	text := strings.Join(n.lines(), "\n")
	if err := printLong(ctx, j, n, text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(j.log(), "##vso[task.logissue type=warning]%s\n", azureEscape.Replace(text))
	return err
}

// azureSummary writes a file that the agent reads when the step ends. The agent
// deletes its temporary folder after the job.
func azureSummary(_ context.Context, j Job, n Note) error {
	dir := j.Getenv("AGENT_TEMPDIRECTORY")
	if dir == "" {
		return fmt.Errorf("%w: AGENT_TEMPDIRECTORY is not set", ErrUnsupported)
	}
	path := filepath.Join(dir, "mcp-login-"+rand.Text()+".md")
	if err := os.WriteFile(path, []byte(n.markdown()), 0o600); err != nil {
		return err
	}
	_, err := fmt.Fprintf(j.log(), "##vso[task.uploadsummary]%s\n", azureEscape.Replace(path))
	return err
}

// azureIDToken requests an ID token as documented at
// https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create, in
// the first version that is not a preview:
// https://learn.microsoft.com/azure/devops/release-notes/2024/sprint-240-update. Without
// a service connection it is the pipeline's own token.
func azureIDToken(ctx context.Context, j Job, audience string) (string, error) {
	if audience != "" && audience != azureAudience {
		return "", fmt.Errorf("%w: Azure Pipelines issues ID tokens only for the audience %s, not for %q", ErrIdentity, azureAudience, audience)
	}
	ask, token := j.Getenv(azureTokenURL), j.Getenv("SYSTEM_ACCESSTOKEN")
	if ask == "" || token == "" {
		return "", fmt.Errorf("%w: the step has no access token; map it with `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`", ErrUnsupported)
	}
	query := url.Values{"api-version": {"7.1"}}
	if id := j.Getenv("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"); id != "" {
		query.Set("serviceConnectionId", id)
	}
	var response struct {
		Token string `json:"oidcToken"`
	}
	err := j.requestIDToken(ctx, http.MethodPost, ask+"?"+query.Encode(), token, &response)
	return response.Token, err
}
