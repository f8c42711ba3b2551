package agentd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// ParseSinks parses the values of --sink. The profiles are those of the agent;
// none means all.
func ParseSinks(texts, profiles []string) (sinks []Sink, err error) {
	taken := map[string]bool{}
	for _, text := range texts {
		s, err := ParseSink(text)
		switch {
		case err != nil:
			return nil, exit.Usage(fmt.Errorf("--sink %w", err))
		case taken[s.Path]:
			return nil, exit.Usagef("--sink %q: %s already holds another token", text, s.Path)
		case len(profiles) > 0 && !slices.Contains(profiles, s.Profile):
			return nil, exit.Usagef("--sink %q: the agent keeps only %s; add %s", text, strings.Join(profiles, ", "), s.Profile)
		}
		if err := s.Check(); err != nil {
			return nil, &exit.Error{Code: exit.Failed, Text: fmt.Sprintf("--sink %q: %v", text, err)}
		}
		taken[s.Path] = true
		sinks = append(sinks, s)
	}
	return sinks, nil
}
