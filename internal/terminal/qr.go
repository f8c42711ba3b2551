package terminal

import (
	"strings"

	"github.com/mdp/qrterminal/v3"
)

// maxQR keeps the encoder far from its limit of 2,953 bytes, beyond which it
// returns no code. No screen holds a longer one.
const maxQR = 1000

// quietZones are the widths of the light border to try, in modules. The standard
// asks for 4; phones accept 1 where a light screen or the panel's gap adds to it.
var quietZones = [...]int{4, 2, 1}

// qrCode returns a QR code in half blocks (two modules a character), to show
// black on white, or nil if s is too long for one.
func qrCode(s string, quiet int) []string {
	if s == "" || len(s) > maxQR {
		return nil
	}
	var b strings.Builder
	qrterminal.GenerateWithConfig(s, qrterminal.Config{
		Level: qrterminal.L, Writer: &b, QuietZone: quiet, HalfBlocks: true,
		WhiteChar: " ", BlackChar: "█", WhiteBlackChar: "▄", BlackWhiteChar: "▀",
	})
	rows := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	// The encoder draws the border's outer half rows dark, for a dark screen. This
	// code brings its own background.
	light := strings.Repeat(" ", width(rows[0]))
	rows[0] = light
	if quiet%2 == 0 {
		rows[len(rows)-1] = light
	}
	return rows
}

// qrLine colors a row of a code. Whole cells and upper halves are background:
// in many fonts a block does not reach the top of its cell, and the gaps would
// cut the code's finder patterns into strips.
func qrLine(row string) line {
	var l line
	for _, r := range row {
		cell := span{" ", qrLight}
		switch r {
		case '█':
			cell = span{" ", qrDark}
		case '▀':
			cell = span{"▄", qrDark}
		case '▄':
			cell = span{"▄", qrLight}
		}
		if n := len(l); n > 0 && l[n-1].style == cell.style {
			l[n-1].text += cell.text
			continue
		}
		l = append(l, cell)
	}
	return l
}
