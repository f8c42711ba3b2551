package exit

// Meaning is the description of an exit code in the manual.
type Meaning struct {
	Code int
	Text string
}

// Meanings returns them all.
func Meanings() []Meaning {
	return []Meaning{
		{Done, "done"},
		{Failed, "failed"},
		{BadUsage, "usage error"},
		{Temporary, "temporary: the network, or the server is overloaded; try again"},
		{LoginRequired, "login required; the hint is the command to run"},
		{Denied, "denied by the user or the server"},
		{TimedOut, "not approved in time"},
		{Store, "the store is unavailable or cannot be decrypted"},
		{Interrupted, "interrupted"},
	}
}
