package ci

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Buildkite, through its agent: https://buildkite.com/docs/agent/cli/reference/redactor,
// env, annotate and oidc. Other jobs of the build can read meta-data and artifacts, so
// secrets must not be stored there:
// https://buildkite.com/docs/pipelines/configure/build-meta-data.
var buildkite = behavior{
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

// buildkiteExport sends one JSON object per line: the agent parses each line
// separately, up to 64 KiB. It checks which variables were set, because the
// command succeeds even if the job rejected them
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

// buildkiteAnnounce adds an annotation, which is shown on the build's page
// while the job runs, and prints the note to the log.
func buildkiteAnnounce(ctx context.Context, j Job, n Note) error {
	if err := printNote(ctx, j, n); err != nil {
		return err
	}
	return buildkiteAnnotate(ctx, j, n, "info")
}

// buildkiteSummary replaces the annotation of buildkiteAnnounce, such as a used
// code.
func buildkiteSummary(ctx context.Context, j Job, n Note) error {
	return buildkiteAnnotate(ctx, j, n, "success")
}

func buildkiteAnnotate(ctx context.Context, j Job, n Note, style string) error {
	place := "mcp-login-" + j.Getenv("BUILDKITE_JOB_ID")
	_, err := j.run(ctx, n.markdown(), "buildkite-agent", "annotate", "--style", style, "--context", place)
	return err
}

// buildkiteIDToken requests an ID token. Since version 3.104 the agent masks
// the token in the log: https://buildkite.com/docs/agent/cli/reference/oidc.
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
