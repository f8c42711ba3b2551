package mcpwire

import "github.com/mcp-login/mcp-login/internal/ascii"

// step is a state of a Scanner: it takes one byte, and reports whether the byte may
// stand there (RFC 8259).
type step func(s *Scanner, c byte) bool

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isDigit(c byte) bool { return ascii.Digit(rune(c)) }

func beginValue(s *Scanner, c byte) bool {
	if isSpace(c) {
		return true
	}
	s.startValue(c)
	if !isDigit(c) {
		s.capture(c) // a digit is captured below
	}
	switch c {
	case '{':
		s.step = beginNameOrEnd
		return s.push(c)
	case '[':
		s.step = beginElementOrEnd
		return s.push(c)
	case '"':
		s.beginString(false)
	case 't':
		s.step, s.literal = inLiteral, "rue"
	case 'f':
		s.step, s.literal = inLiteral, "alse"
	case 'n':
		s.step, s.literal = inLiteral, "ull"
	case '-':
		s.step = afterMinus
	default:
		return afterMinus(s, c)
	}
	return true
}

func (s *Scanner) push(bracket byte) bool {
	s.open = append(s.open, bracket)
	return len(s.open) <= maxDepth
}

// pop closes an object or an array.
func (s *Scanner) pop() bool {
	s.open = s.open[:len(s.open)-1]
	s.endValue(s.pos + 1)
	return true
}

func beginElementOrEnd(s *Scanner, c byte) bool {
	if c == ']' {
		return s.pop()
	}
	if !isSpace(c) {
		s.step = beginValue
		return beginValue(s, c)
	}
	return true
}

func beginNameOrEnd(s *Scanner, c byte) bool {
	if c == '}' {
		return s.pop()
	}
	return beginName(s, c)
}

func beginName(s *Scanner, c byte) bool {
	if isSpace(c) {
		return true
	}
	if len(s.open) == 1 {
		s.captured = s.captured[:0]
	}
	s.capture(c)
	s.beginString(true)
	return c == '"'
}

func colon(s *Scanner, c byte) bool {
	if isSpace(c) {
		return true
	}
	s.step = beginValue
	return c == ':'
}

// afterValue is the state after a value. After the outermost one only spaces may follow.
func afterValue(s *Scanner, c byte) bool {
	if isSpace(c) {
		return true
	}
	if len(s.open) == 0 {
		return false
	}
	inObject := s.open[len(s.open)-1] == '{'
	switch c {
	case ',':
		s.step = beginValue
		if inObject {
			s.step = beginName
		}
		return true
	case '}':
		return inObject && s.pop()
	case ']':
		return !inObject && s.pop()
	}
	return false
}

func (s *Scanner) beginString(isName bool) {
	s.step, s.plain, s.inName = inString, true, isName
}

// inString takes what plainLength stops at.
func inString(s *Scanner, c byte) bool {
	s.capture(c)
	switch c {
	case '"':
		s.plain = false
		if s.inName {
			s.endName()
		} else {
			s.endValue(s.pos + 1)
		}
		return true
	case '\\':
		s.plain, s.step = false, escape
		return true
	}
	return false
}

func escape(s *Scanner, c byte) bool {
	s.capture(c)
	switch c {
	case 'b', 'f', 'n', 'r', 't', '\\', '/', '"':
		s.step, s.plain = inString, true
		return true
	}
	s.step, s.digits = escapeDigit, 4
	return c == 'u'
}

func escapeDigit(s *Scanner, c byte) bool {
	s.capture(c)
	if s.digits--; s.digits == 0 {
		s.step, s.plain = inString, true
	}
	return ascii.Hex(rune(c))
}

func inLiteral(s *Scanner, c byte) bool {
	s.capture(c)
	if c != s.literal[0] {
		return false
	}
	if s.literal = s.literal[1:]; s.literal == "" {
		s.endValue(s.pos + 1)
	}
	return true
}

// The states of a number. Those after which it may end give other bytes to endNumber.

func afterMinus(s *Scanner, c byte) bool {
	s.step = integer
	if c == '0' {
		s.step = afterZero
	}
	return s.digit(c)
}

func integer(s *Scanner, c byte) bool {
	return s.digit(c) || afterZero(s, c)
}

func afterZero(s *Scanner, c byte) bool {
	if c == '.' {
		s.capture(c)
		s.step = beginFraction
		return true
	}
	return exponentOrEnd(s, c)
}

func beginFraction(s *Scanner, c byte) bool {
	s.step = fraction
	return s.digit(c)
}

func fraction(s *Scanner, c byte) bool { return s.digit(c) || exponentOrEnd(s, c) }

func exponentOrEnd(s *Scanner, c byte) bool {
	if c == 'e' || c == 'E' {
		s.capture(c)
		s.step = beginExponent
		return true
	}
	return endNumber(s, c)
}

func beginExponent(s *Scanner, c byte) bool {
	if c == '+' || c == '-' {
		s.capture(c)
		s.step = exponentDigit
		return true
	}
	return exponentDigit(s, c)
}

func exponentDigit(s *Scanner, c byte) bool {
	s.step = exponent
	return s.digit(c)
}

func exponent(s *Scanner, c byte) bool { return s.digit(c) || endNumber(s, c) }

// digit takes a digit.
func (s *Scanner) digit(c byte) bool {
	if !isDigit(c) {
		return false
	}
	s.capture(c)
	return true
}

func endNumber(s *Scanner, c byte) bool {
	s.endValue(s.pos)
	return afterValue(s, c)
}
