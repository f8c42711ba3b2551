package ci_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
)

var note = ci.Note{
	Title: "Approve: notion",
	Text:  "Code ABCD-EFGH, 100%\n##vso[task.complete]\n```\n::error::x]",
	URL:   "https://as.example/device",
}

const fenced = "````\nCode ABCD-EFGH, 100%\n# #vso[task.complete]\n```\n| ::error::x]\n````\n\n<https://as.example/device>\n"

func TestAnnounce(t *testing.T) {
	lines := "Approve: notion\n    Code ABCD-EFGH, 100%\n    # #vso[task.complete]\n    ```\n    | ::error::x]\n    https://as.example/device\n"
	for _, tt := range []struct {
		provider ci.Provider
		want     string
	}{
		{ci.GitHub, "::notice title=Approve%3A notion::Code ABCD-EFGH, 100%25%0A# #vso[task.complete]%0A```%0A| ::error::x]%0Ahttps://as.example/device\n"},
		{ci.Azure, "##vso[task.logissue type=warning]Approve: notion%0ACode ABCD-EFGH, 100%AZP25%0A# #vso[task.complete%5D%0A```%0A| ::error::x%5D%0Ahttps://as.example/device\n"},
		{ci.TeamCity, "##teamcity[message text='Approve: notion|nCode ABCD-EFGH, 100%|n# #vso|[task.complete|]|n```|n|| ::error::x|]|nhttps://as.example/device' status='WARNING']\n" +
			"##teamcity[progressMessage 'Approve: notion: Code ABCD-EFGH, 100%']\n"},
		{ci.Buildkite, lines},
		{ci.Gitea, lines},
		{ci.GitLab, lines},
		{ci.CircleCI, lines},
		{ci.Jenkins, lines},
		{ci.None, lines},
	} {
		w := newFakeJob(t, tt.provider, "BUILDKITE_JOB_ID=7")
		if err := w.Announce(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		if got := w.output(); got != tt.want {
			t.Errorf("%v shows\n%s, want\n%s", tt.provider, got, tt.want)
		}
		if tt.provider != ci.Buildkite {
			continue
		}
		want := call{"buildkite-agent annotate --style info --context mcp-login-7", "**Approve\\: notion**\n\n" + fenced}
		if len(w.calls) != 1 || w.calls[0] != want {
			t.Errorf("calls = %q, want %q", w.calls, want)
		}
	}
}

func TestLongNoteIsShownDuringTheStep(t *testing.T) {
	long := ci.Note{Title: "Approve", Text: strings.Repeat("x", 900), URL: "https://as.example/device?code=" + strings.Repeat("y", 200)}
	for p, command := range map[ci.Provider]string{ci.GitHub: "::notice ", ci.Azure: "##vso[task.logissue "} {
		w := newFakeJob(t, p)
		if err := w.Announce(t.Context(), long); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(w.output(), "\n")
		if want := "    " + long.URL; len(lines) != 5 || lines[2] != want || !strings.HasPrefix(lines[3], command) {
			t.Errorf("%v shows %q, want the line %q before the command", p, lines, want)
		}
	}
}

func TestTeamCityEscapes(t *testing.T) {
	w := newFakeJob(t, ci.TeamCity)
	if err := w.Announce(t.Context(), ci.Note{Title: "ü|😀'"}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.output(), "##teamcity[message text='|0x00FC|||0xD83D|0xDE00|'' status='WARNING']\n"+
		"##teamcity[progressMessage '|0x00FC|||0xD83D|0xDE00|'']\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSummary(t *testing.T) {
	markdown := "**Approve\\: notion**\n\n" + fenced
	w := newFakeJob(t, ci.GitHub)
	if err := w.Summary(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	if got := w.file(t, "GITHUB_STEP_SUMMARY"); got != markdown+"\n" {
		t.Errorf("GITHUB_STEP_SUMMARY = %q, want %q", got, markdown)
	}

	w = newFakeJob(t, ci.Buildkite, "BUILDKITE_JOB_ID=7")
	if err := w.Summary(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	if want := (call{"buildkite-agent annotate --style success --context mcp-login-7", markdown}); w.calls[0] != want {
		t.Errorf("call = %q, want %q", w.calls[0], want)
	}

	w = newFakeJob(t, ci.Azure)
	if err := w.Summary(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	path, ok := strings.CutPrefix(strings.TrimSpace(w.output()), "##vso[task.uploadsummary]")
	if data, err := os.ReadFile(path); !ok || err != nil || string(data) != markdown || filepath.Dir(path) != w.Getenv("AGENT_TEMPDIRECTORY") {
		t.Errorf("%q holds %q, %v, want %q", path, data, err, markdown)
	}

	if err := newFakeJob(t, ci.Travis).Summary(t.Context(), note); !errors.Is(err, ci.ErrUnsupported) {
		t.Errorf("Summary on Travis = %v, want ErrUnsupported", err)
	}
}

func TestOnlyWebURLsAreShown(t *testing.T) {
	for _, raw := range []string{"javascript:alert(1)", "https://user@as.example", "https://as.example/\x1b[0m", "::error::x", "//as.example", "https://as.example/##vso[x]"} {
		w := newFakeJob(t, ci.None)
		if err := w.Announce(t.Context(), ci.Note{Title: "t", URL: raw}); err != nil {
			t.Fatal(err)
		}
		if got := w.output(); strings.Contains(got, raw) || strings.Contains(got, "##") {
			t.Errorf("Announce shows %q for the URL %q", got, raw)
		}
	}
}
