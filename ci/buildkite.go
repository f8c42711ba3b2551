package ci

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Buildkite, through its agent:
// https://buildkite.com/docs/agent/cli/reference/redactor, env, annotate and oidc.
// What other jobs of the build can read, meta-data and artifacts, is no place for secrets:
// https://buildkite.com/docs/pipelines/configure/build-meta-data.
var buildkite = behaviour{
	title:    "Buildkite",
	mask:     buildkiteMask,
	export:   buildkiteExport,
	announce: buildkiteAnnounce,
	summary:  buildkiteSummary,
	idToken:  buildkiteIDToken,
	reserved: []string{"BUILDKITE", "BUILDKITE_*"},
}

func buildkiteMask(ctx context.Context, j Job, lines []string) error {
	secrets := make(map[string]string, len(lines))
	for i, line := range lines {
		secrets[strconv.Itoa(i)] = line
	}
	in, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	_, err = j.run(ctx, string(in), "buildkite-agent", "redactor", "add", "--format", "json")
	return err
}

// buildkiteExport sends one JSON object a line: the agent reads each line by
// itself, and none above 64 KiB. It asks which were set, since the command ends
// well when the job refused them
// (https://github.com/buildkite/agent/blob/main/clicommand/env_set.go).
func buildkiteExport(ctx context.Context, j Job, vars []Var) error {
	var in strings.Builder
	encode := json.NewEncoder(&in)
	encode.SetEscapeHTML(false)
	for _, v := range vars {
		if err := encode.Encode(map[string]string{v.Name: v.Value}); err != nil {
			return err
		}
	}
	out, err := j.run(ctx, in.String(), "buildkite-agent", "env", "set", "--input-format=json", "--output-format=json", "-")
	if err != nil {
		return err
	}
	var set struct{ Added, Updated []string }
	if err := json.Unmarshal([]byte(out), &set); err != nil {
		return fmt.Errorf("the agent's answer is not the expected JSON")
	}
	for _, v := range vars {
		if !slices.Contains(set.Added, v.Name) && !slices.Contains(set.Updated, v.Name) {
			return fmt.Errorf("%w: the agent did not set %s", ErrVariable, v.Name)
		}
	}
	return nil
}

// An annotation is shown on the build's page while the job runs. The log says
// the same, for those who watch it there.
func buildkiteAnnounce(ctx context.Context, j Job, n Note) error {
	if err := printNote(ctx, j, n); err != nil {
		return err
	}
	return buildkiteAnnotate(ctx, j, n, "info")
}

// The summary takes the place of what was announced, such as a used code.
func buildkiteSummary(ctx context.Context, j Job, n Note) error {
	return buildkiteAnnotate(ctx, j, n, "success")
}

func buildkiteAnnotate(ctx context.Context, j Job, n Note, style string) error {
	place := "mcp-login-" + j.Getenv("BUILDKITE_JOB_ID")
	_, err := j.run(ctx, n.markdown(), "buildkite-agent", "annotate", "--style", style, "--context", place)
	return err
}

// The agent of version 3.104 and later hides the token in the log by itself:
// https://buildkite.com/docs/agent/cli/reference/oidc.
func buildkiteIDToken(ctx context.Context, j Job, audience string) (string, error) {
	argv := []string{"buildkite-agent", "oidc", "request-token"}
	if audience != "" {
		argv = append(argv, "--audience", audience)
	}
	out, err := j.run(ctx, "", argv...)
	if err != nil {
		return "", fmt.Errorf("request an ID token from the agent: %w", err)
	}
	return strings.TrimSpace(out), nil
}
