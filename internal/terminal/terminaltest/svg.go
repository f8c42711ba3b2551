//go:build linux

package terminaltest

import (
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/hinshun/vt10x"
)

// Theme is the colors of a terminal.
type Theme struct {
	Paper, Ink, Border string
	Colors             map[vt10x.Color]string
}

// Dark returns the colors of a dark terminal.
func Dark() Theme {
	return Theme{"#0d1117", "#e6edf3", "#30363d", map[vt10x.Color]string{1: "#ff7b72", 2: "#3fb950", 5: "#d2a8ff", faint: "#8b949e", 16: "#000000", 231: "#ffffff"}}
}

// Light returns the colors of a light terminal.
func Light() Theme {
	return Theme{"#ffffff", "#1f2328", "#d0d7de", map[vt10x.Color]string{1: "#cf222e", 2: "#1a7f37", 5: "#8250df", faint: "#59636e", 16: "#000000", 231: "#ffffff"}}
}

// The size of a character in the picture. Half of one is a square.
const (
	cellWidth  = 9
	cellHeight = 2 * cellWidth
	margin     = 16
)

// The attributes of a character in vt10x.
const (
	underlined = 1 << 1
	boldface   = 1 << 2
)

// faint is the color of faint text: bright black.
const faint vt10x.Color = 8

// Show returns a screen with what a program wrote to its terminal. The emulator knows no
// faint text, so faint text gets a separate color.
func Show(cols, rows int, output string) vt10x.Terminal {
	vt := vt10x.New(vt10x.WithSize(cols, rows))
	_, _ = io.WriteString(vt, strings.ReplaceAll(output, "\x1b[2m", "\x1b[90m"))
	return vt
}

// SVG draws a screen as a picture. The lines below the last text are left out.
func SVG(vt vt10x.Terminal, theme Theme, title string) string {
	vt.Lock()
	defer vt.Unlock()
	cols, rows := vt.Size()
	for rows > 1 && rowIsEmpty(vt, cols, rows-1) {
		rows--
	}
	width, height := cols*cellWidth+2*margin, rows*cellHeight+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%[1]d\" height=\"%[2]d\" role=\"img\" aria-label=\"%[3]s\">\n", width, height, html.EscapeString(title))
	fmt.Fprintf(&b, "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"%s\" stroke=\"%s\"/>\n", width-1, height-1, theme.Paper, theme.Border)
	fmt.Fprintf(&b, "<g transform=\"translate(%d %d)\" font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\" font-size=\"15\" fill=\"%s\" xml:space=\"preserve\">\n", margin, margin, theme.Ink)
	drawBlocks(&b, vt, theme, rows, cols)
	for row := range rows {
		drawText(&b, vt, theme, row, cols)
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

func rowIsEmpty(vt vt10x.Terminal, cols, row int) bool {
	for col := range cols {
		if g := vt.Cell(col, row); g.Char != ' ' && g.Char != 0 || g.BG != vt10x.DefaultBG {
			return false
		}
	}
	return true
}

// halves returns the colors of the upper and the lower half of a character, ""
// for the paper.
func (t Theme) halves(g vt10x.Glyph) (top, bottom string) {
	ink, paper := t.color(g.FG), t.Colors[g.BG]
	switch g.Char {
	case '▀':
		return ink, paper
	case '▄':
		return paper, ink
	case '█':
		return ink, ink
	}
	return paper, paper
}

func (t Theme) color(c vt10x.Color) string {
	if color := t.Colors[c]; color != "" {
		return color
	}
	return t.Ink
}

// drawBlocks draws backgrounds and block characters, as one shape of each color.
func drawBlocks(b *strings.Builder, vt vt10x.Terminal, theme Theme, rows, cols int) {
	shapes := map[string]string{}
	for half := range 2 * rows {
		color, from := "", 0
		for col := 0; col <= cols; col++ {
			next := ""
			if col < cols {
				top, bottom := theme.halves(vt.Cell(col, half/2))
				next = []string{top, bottom}[half%2]
			}
			if next == color {
				continue
			}
			if color != "" {
				shapes[color] += fmt.Sprintf("M%d %dh%dv%dH%[1]dz", from*cellWidth, half*cellWidth, (col-from)*cellWidth, cellWidth)
			}
			color, from = next, col
		}
	}
	for _, color := range slices.Sorted(maps.Keys(shapes)) {
		fmt.Fprintf(b, "<path fill=\"%s\" shape-rendering=\"crispEdges\" d=\"%s\"/>\n", color, shapes[color])
	}
}

// drawText draws the words of a row, each run of one look at its place.
func drawText(b *strings.Builder, vt vt10x.Terminal, theme Theme, row, cols int) {
	var run []rune
	var look vt10x.Glyph
	from := 0
	flush := func() {
		text := strings.TrimRight(string(run), " ")
		if text != "" {
			width := len([]rune(text)) * cellWidth
			text = strings.ReplaceAll(text, " ", "\u00a0") // a run of spaces is not one
			fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" textLength=\"%d\"%s>%s</text>\n", from*cellWidth, row*cellHeight+14, width, theme.look(look), html.EscapeString(text))
		}
		run = nil
	}
	for col := range cols {
		g := vt.Cell(col, row)
		isBlock := strings.ContainsRune("▀▄█", g.Char) || g.BG != vt10x.DefaultBG
		space := g.Char == ' ' || g.Char == 0
		if isBlock || len(run) > 0 && (g.FG != look.FG || g.Mode != look.Mode) && !space {
			flush()
		}
		switch {
		case isBlock || space && len(run) == 0:
		case len(run) == 0:
			run, look, from = []rune{g.Char}, g, col
		case space:
			run = append(run, ' ')
		default:
			run = append(run, g.Char)
		}
	}
	flush()
}

// look is the attributes of a run of text.
func (t Theme) look(g vt10x.Glyph) string {
	var s string
	if color := t.Colors[g.FG]; color != "" {
		s += fmt.Sprintf(" fill=%q", color)
	}
	if g.Mode&boldface != 0 {
		s += ` font-weight="bold"`
	}
	if g.Mode&underlined != 0 {
		s += ` text-decoration="underline"`
	}
	return s
}
