//go:build linux

package terminaltest_test

import (
	"image/color"
	"math"
	"strconv"
	"testing"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// TestContrast: text of each color is legible on the pictures of its theme, by WCAG
// 2.2 §1.4.3 (AA). The two colors of a QR code only have to differ from each other.
func TestContrast(t *testing.T) {
	const legible = 4.5
	for name, theme := range map[string]terminaltest.Theme{"dark": terminaltest.Dark(), "light": terminaltest.Light()} {
		if got := contrast(t, theme.Ink, theme.Paper); got < legible {
			t.Errorf("%s: the contrast of text is %.1f", name, got)
		}
		for number, text := range theme.Colors {
			against := theme.Paper
			switch number {
			case 16:
				against = theme.Colors[231]
			case 231:
				against = theme.Colors[16]
			}
			if got := contrast(t, text, against); got < legible {
				t.Errorf("%s: the contrast of color %d is %.1f", name, number, got)
			}
		}
	}
}

// contrast is the ratio of the luminance of two colors.
func contrast(t *testing.T, a, b string) float64 {
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 24)
	if err != nil {
		t.Fatal(err)
	}
	c := color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
