package commandline_test

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/commandline"
)

// TestCheckValues: an invalid value is rejected with an example of a valid one.
func TestCheckValues(t *testing.T) {
	for _, tt := range []struct {
		check func(string) error
		text  string
		want  string // in the error; "": no error
	}{
		{commandline.CheckDuration, "30s", ""},
		{commandline.CheckDuration, "30", "use 30s or 30m"},
		{commandline.CheckDuration, "0s", ""},
		{commandline.CheckDuration, "-1s", "cannot be negative"},
		{commandline.CheckDuration, "soon", "use 30s or 5m"},
		{commandline.CheckNumber, "8080", ""},
		{commandline.CheckNumber, "http", "not a number"},
		{commandline.CheckBool, "false", ""},
		{commandline.CheckBool, "maybe", "use true or false"},
		{commandline.CheckText, "anything", ""},
	} {
		err := tt.check(tt.text)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
}
