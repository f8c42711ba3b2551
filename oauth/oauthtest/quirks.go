package oauthtest

import "slices"

// Quirk is one way in which real servers deviate from the specifications, or
// from each other where the specifications leave a choice.
type Quirk struct {
	Name   string
	Does   string // what the server does
	Report string // the public report, as owner/repository#number, or the product that does so
	Part   string // the affected part, or several separated by commas; quirks of the same part exclude each other
	Ends   Ending // zero: everything works
	apply  func(s *Server) []change
}

// Ending is where and how the main path fails at a server with a quirk.
type Ending struct {
	Flow string // the flow that fails; "": all
	Step string // "login", "call", "test", "refresh" or "logout"; "": it does not fail
	Exit int    // exit code
	Says string // part of the error
	Hint string // part of the hint
}

// With adds quirks to the server and returns it. Add all quirks before use.
func (s *Server) With(quirks ...Quirk) *Server {
	for _, q := range quirks {
		s.quirks = append(s.quirks, q.apply(s)...)
	}
	return s
}

// Exit codes of the command, for Ending.
const (
	failed    = 1
	temporary = 3
	signIn    = 4
)

// Quirks returns the table of quirks.
func Quirks() []Quirk {
	return slices.Concat(registrationQuirks(), clientQuirks(), challengeQuirks(), issuerQuirks(), serverQuirks(), deviceQuirks(),
		tokenQuirks(), refreshQuirks(), revocationQuirks(), publicQuirks())
}

// one returns the apply function of a quirk with one change.
func one(c change) func(*Server) []change { return func(*Server) []change { return []change{c} } }

// setting returns the apply function of a quirk that sets fields of the server.
func setting(set func(s *Server)) func(*Server) []change {
	return func(s *Server) []change { set(s); return nil }
}
