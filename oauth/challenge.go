package oauth

import "net/http"

// Challenge is one challenge of a WWW-Authenticate answer (RFC 9110 §11.6.1).
type Challenge struct {
	Scheme  string            // lower case
	Params  map[string]string // names in lower case
	Token68 string            // the other form that a challenge can have
}

// ParseChallenges returns the challenges of every WWW-Authenticate line, in
// order. What cannot be read is left out.
func ParseChallenges(h http.Header) []Challenge {
	return nil
}
