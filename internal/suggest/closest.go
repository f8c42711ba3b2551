package suggest

import (
	"fmt"
	"strings"
)

// Closest returns the known word that was most likely meant by a misspelled one,
// and false if none is close.
func Closest(word string, known []string) (meant string, ok bool) {
	if len(word) > maxWord {
		return "", false
	}
	word = strings.ToLower(word)
	best := 2*max(1, min(len(word)/lettersPerTypo, maxTypos)) + 1
	for _, k := range known {
		d := 2 * distance(word, strings.ToLower(k))
		if word != "" && k != "" && word[0] != k[0] { // the first letter is rarely wrong
			d++
		}
		if d < best {
			meant, best, ok = k, d, true
		}
	}
	if ok {
		return meant, true
	}
	for _, k := range known { // an abbreviation
		if len(word) >= minPrefix && strings.HasPrefix(k, word) {
			return k, true
		}
	}
	return "", false
}

const (
	maxTypos       = 2
	lettersPerTypo = 3
	maxWord        = 64 // longer words are slow to compare and not typos
	minPrefix      = 3
)

// distance returns the number of insertions, deletions, substitutions and swaps
// of neighbors that turn a into b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range b {
		rows[0][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// DidYouMean asks whether a known word was meant.
func DidYouMean(word string, known []string) string {
	if meant, ok := Closest(word, known); ok {
		return fmt.Sprintf(", did you mean %s?", meant)
	}
	return "."
}

// Or joins words with "or" before the last.
func Or(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
