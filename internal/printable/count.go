package printable

import "strconv"

// Count writes how many there are of what a noun with a regular plural names: 1 tool, 2
// tools.
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
