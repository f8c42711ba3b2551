package signin_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// TestSurvey: discover shows the flows that suit a machine, and the browser with
// its reason; doctor tries all flows that need no CI job.
func TestSurvey(t *testing.T) {
	lookups := 0
	place := signin.Place{
		Streams:     terminal.Streams{Out: io.Discard, Err: io.Discard, Getenv: func(string) string { return "" }, TTY: func() (*os.File, error) { return nil, os.ErrNotExist }},
		RelayClient: func(string) *http.Client { return http.DefaultClient }, Laptop: func() string { lookups++; return "" },
		WithoutPerson: signin.Flows(nil, nil),
	}
	in, err := signin.New(place, &signin.Options{Flow: "device"})
	if err != nil {
		t.Fatal(err)
	}
	for name, survey := range map[string]func(context.Context) ([]flows.Flow, error){"suited": in.Suited, "possible": in.Possible} {
		all, err := survey(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var names []string
		for _, f := range all {
			names = append(names, f.Name())
		}
		for _, want := range []string{"browser", "device"} {
			if !slices.Contains(names, want) {
				t.Errorf("%s: no %s in %q", name, want, names)
			}
		}
		if slices.Contains(names, "relay") || in.Here().Relay {
			t.Errorf("%s: a relay without an address in %q", name, names)
		}
	}
	if in.Flow != "device" {
		t.Error("the survey changed the options")
	}
	if lookups != 1 { // each one takes up to a second if a stale socket does not respond
		t.Errorf("%d lookups of the laptop, want 1", lookups)
	}
}
