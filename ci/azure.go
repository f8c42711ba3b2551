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
var azure = behaviour{
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

// azureAudience is the audience of a pipeline's id token. No documentation was
// found that lets a job choose another; a decoded one is in
// https://github.com/gravitational/teleport/blob/master/rfd/0211-azure-devops-joining.md.
const azureAudience = "api://AzureADTokenExchange"

// azureEscape is what the agent undoes, in a command's data as in its
// properties. It hides a secret variable's value in exactly this form too,
// which the step's debug log shows
// (https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Worker/TaskCommandExtension.cs).
var azureEscape = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "]", "%5D", ";", "%3B")

// azureCarries refuses a percent sign where the job has switched its escape
// off: the value would arrive as another, and the right one would not be hidden
// (https://github.com/microsoft/azure-pipelines-agent/blob/master/docs/design/percentEncoding.md).
func azureCarries(j Job, what, text string) error {
	decode := j.Getenv("DECODE_PERCENTS")
	if decode == "" || decode == "1" || strings.EqualFold(decode, "true") || !strings.Contains(text, "%") {
		return nil
	}
	return fmt.Errorf("%w: %s contains a percent sign, and DECODE_PERCENTS is off", ErrVariable, what)
}

func azureMask(_ context.Context, j Job, lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		if err := azureCarries(j, "a secret", line); err != nil {
			return err
		}
		fmt.Fprintf(&b, "##vso[task.setsecret]%s\n", azureEscape.Replace(line))
	}
	return j.command(b.String())
}

// azureReady refuses secrets of more than one line as the agent does, which
// would fail the step: TaskCommandExtension.cs, as above.
func azureReady(j Job, vars []Var) error {
	for _, v := range vars {
		if err := azureCarries(j, "the value of "+v.Name, v.Value); err != nil {
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

// The agent writes a warning to the log, and sends both within half a second,
// while the step runs
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
	_, err := fmt.Fprintf(j.log(), "##vso[task.uploadsummary]%s\n", azureEscape.Replace(path))
	return err
}

// azureIDToken posts as documented at
// https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create,
// in the version that is no preview any more:
// https://learn.microsoft.com/azure/devops/release-notes/2024/sprint-240-update. Without
// a service connection the token is the pipeline's own.
func azureIDToken(ctx context.Context, j Job, audience string) (string, error) {
	if audience != "" && audience != azureAudience {
		return "", fmt.Errorf("%w: Azure Pipelines issues ID tokens only for the audience %s, not for %q", ErrIdentity, azureAudience, audience)
	}
	ask, token := j.Getenv("SYSTEM_OIDCREQUESTURI"), j.Getenv("SYSTEM_ACCESSTOKEN")
	if ask == "" || token == "" {
		return "", fmt.Errorf("%w: the step has no access token; map it with `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`", ErrUnsupported)
	}
	query := url.Values{"api-version": {"7.1"}}
	if id := j.Getenv("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"); id != "" {
		query.Set("serviceConnectionId", id)
	}
	var answer struct {
		Token string `json:"oidcToken"`
	}
	err := j.ask(ctx, http.MethodPost, ask+"?"+query.Encode(), token, &answer)
	return answer.Token, err
}
