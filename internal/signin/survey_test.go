package signin_test

import (
	"io"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// TestSurvey: discover shows what suits a machine, and the browser with its reason;
// doctor tries all flows that need no CI job.
func TestSurvey(t *testing.T) {
	place := signin.Place{
		Streams: terminal.Streams{Out: io.Discard, Err: io.Discard, Getenv: func(string) string { return "" }, TTY: func() (*os.File, error) { return nil, os.ErrNotExist }}, Say: func(string, ...any) {},
		RelayClient: func(string) *http.Client { return http.DefaultClient }, Laptop: func() string { return "" },
		NonInteractive: signin.Flows(nil, nil),
	}
	options := &signin.Options{Flow: "device"}
	for name, survey := range map[string]func() ([]flows.Flow, flows.Detection, error){
		"suited":   func() ([]flows.Flow, flows.Detection, error) { return place.Suited(t.Context(), options) },
		"possible": func() ([]flows.Flow, flows.Detection, error) { return place.Possible(t.Context(), options) },
	} {
		all, here, err := survey()
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
		if slices.Contains(names, "relay") || here.Relay {
			t.Errorf("%s: a relay without an address in %q", name, names)
		}
	}
	if options.Flow != "device" {
		t.Error("the survey changed the options")
	}
}
