package printable

import (
	"strings"
	"time"
)

// Duration writes a duration as the user types it: 10m, not 10m0s. It is exact to the
// second, or below a second to what the duration has.
func Duration(d time.Duration) string {
	if d.Abs() >= time.Second {
		d = d.Round(time.Second)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
