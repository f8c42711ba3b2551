// Package ascii has the alphabets that names, tokens and URLs are checked
// against, each of them once. It must not know what is checked.
package ascii

import (
	"strings"
	"unicode"
)

// Only reports whether each character of s is in an alphabet. The empty string
// has no character that is not.
func Only(s string, alphabet func(rune) bool) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !alphabet(r) })
}

// Digit reports whether r is 0-9.
func Digit(r rune) bool { return '0' <= r && r <= '9' }

// Lower reports whether r is a-z.
func Lower(r rune) bool { return 'a' <= r && r <= 'z' }

// Upper reports whether r is A-Z.
func Upper(r rune) bool { return 'A' <= r && r <= 'Z' }

// Letter reports whether r is a-z or A-Z.
func Letter(r rune) bool { return Lower(r) || Upper(r) }

// Alphanumeric reports whether r is a letter or a digit.
func Alphanumeric(r rune) bool { return Letter(r) || Digit(r) }

// Visible reports whether r is VCHAR (RFC 5234 appendix B.1): neither a space nor
// a control character.
func Visible(r rune) bool { return '!' <= r && r <= '~' }

// Printable reports whether r is VSCHAR (RFC 6749 appendix A): visible or the
// space.
func Printable(r rune) bool { return r == ' ' || Visible(r) }

// Control reports whether r is CTL (RFC 5234 appendix B.1).
func Control(r rune) bool { return 0 <= r && r < ' ' || r == unicode.MaxASCII }

// Unreserved reports whether r stands for itself everywhere in a URL (RFC 3986
// §2.3).
func Unreserved(r rune) bool { return Alphanumeric(r) || strings.ContainsRune("-._~", r) }

// TokenChar reports whether r is tchar (RFC 9110 §5.6.2), such as in the name of
// a header.
func TokenChar(r rune) bool { return Alphanumeric(r) || strings.ContainsRune("!#$%&'*+-.^_`|~", r) }

// Base32 reports whether r is in the alphabet of base32 (RFC 4648 §6), such as in the
// texts of crypto/rand.
func Base32(r rune) bool { return Upper(r) || '2' <= r && r <= '7' }

// Hex reports whether r is a hexadecimal digit.
func Hex(r rune) bool { return Digit(r) || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F' }
