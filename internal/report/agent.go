package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Agent is what agent status says. Its JSON form changes only by additions.
type Agent struct {
	Running bool   `json:"running"`
	Socket  string `json:"socket"`
	agent.Health
}

// AgentOf describes the agent at a socket, if one runs there.
func AgentOf(socket string, h agent.Health, runs bool) Agent { return Agent{runs, socket, h} }

// Text returns the report for people.
func (a Agent) Text() *terminal.Text {
	state := "running"
	if a.PID != 0 {
		state = fmt.Sprintf("running (pid %d)", a.PID)
	}
	keeps := ""
	if a.PID != 0 && len(a.Profiles) == 0 {
		keeps = "nothing: no credential is stored yet"
	}
	var text terminal.Text
	text.Facts([]terminal.Fact{fact("agent", state), fact("socket", a.Socket), fact("keeps", keeps)})
	if len(a.Profiles) == 0 {
		return &text
	}
	var t terminal.Table
	t.Row("NAME", "STATE", "EXPIRES", "NEXT REFRESH")
	for _, name := range slices.Sorted(maps.Keys(a.Profiles)) {
		s, next := a.Profiles[name], "-"
		if s.Error == "" && !s.Expiry.IsZero() {
			next = ago(time.Until(s.Next))
		}
		t.Row(name, s.State, expiry(s.Expiry), next)
		if s.Error != "" {
			t.Row("", s.Error)
		}
	}
	text.Blank()
	text.Add(strings.Split(strings.TrimSuffix(t.String(), "\n"), "\n")...)
	return &text
}

func expiry(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return ago(time.Until(t))
}
