package oauthtest

import "slices"

// Quirk is one way in which real servers differ from what the specifications
// say, or from each other where the specifications leave a choice.
type Quirk struct {
	Name   string
	Does   string // what the server does
	Report string // the public report, as owner/repository#number, or the product that does so
	Part   string // of the server, or several with commas; of two quirks with one part only one can be in force
	Ends   Ending // zero: everything works
	apply  func(s *Server) []change
}

// Ending is where and how the main path ends at a server with a quirk.
type Ending struct {
	Flow string // that ends so; "": each
	Step string // "login", "call", "test", "refresh" or "logout"; "": it does not end
	Exit int    // exit code
	Says string // part of the error
	Hint string // part of the hint
}

// With returns the same server with a quirk. Give all quirks before use.
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

// Quirks is the table.
func Quirks() []Quirk {
	return slices.Concat(registrationQuirks(), clientQuirks(), challengeQuirks(), issuerQuirks(), serverQuirks(), deviceQuirks(),
		tokenQuirks(), refreshQuirks(), revocationQuirks(), publicQuirks())
}

// one is a quirk that is one change.
func one(c change) func(*Server) []change { return func(*Server) []change { return []change{c} } }

// setting is a quirk that the server's fields express.
func setting(set func(s *Server)) func(*Server) []change {
	return func(s *Server) []change { set(s); return nil }
}
