package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const warning = "Approve only if you started this sign-in yourself and the page shows this code."

// Measures of the layout, in columns.
const (
	gap      = 3  // between the QR code and the text beside it
	minPanel = 28 // the narrowest text beside a QR code
	maxPanel = 64 // wider lines are hard to read
	maxBoxed = 16 // the longest user code that is drawn large
)

// screen is the space for a frame.
type screen struct{ cols, rows int }

// view is the content of a frame.
type view struct {
	signIn   SignIn // sanitized
	progress Progress
	now      time.Time
	qr       bool // wanted
	above    bool // the link is above the frame, because it did not fit earlier
}

// panel is the text of a frame, for a width and a tightness.
type panel struct {
	view
	cols   int
	tight  int    // 0 roomy; each step up to tightest omits something
	beside bool   // of a QR code
	urlOut bool   // the URL is on a separate line outside the panel
	noQR   string // why there is no QR code; "": there is one, or none was wanted
}

// The steps of tightness: what each leaves out.
const (
	noBlanks = iota + 1 // blank lines
	noBox               // the box around the code
	noTitle             // the title, and the reason for no QR code
	noLabels            // the labels of the parties
	tightest            // all but code, URL and state
)

// render lays out a frame of at most s.rows lines of at most s.cols columns. It
// never omits the user code, even in the smallest window.
func render(v view, s screen) []line {
	if v.qr {
		if frame := besideQR(v, s); frame != nil {
			return frame
		}
	}
	p := panel{view: v, cols: min(s.cols, maxPanel), noQR: whyNoQR(v, s)}
	if width(v.signIn.Link) > p.cols {
		p.cols = s.cols
	}
	for ; p.tight < tightest; p.tight++ {
		if lines := p.lines(); len(lines) <= s.rows {
			return lines
		}
	}
	lines := p.lines()
	return lines[:min(len(lines), max(s.rows, 1))]
}

// shows reports whether a frame has the code, and the whole URL in one line, so that
// it can be copied.
func shows(frame []line, s SignIn) bool {
	whole := joined(frame)
	holds := func(text string) bool {
		return slices.ContainsFunc(whole, func(l line) bool { return strings.Contains(l.String(), text) })
	}
	return holds(s.Link) && holds(s.Code)
}

// besideQR lays out a frame with text beside a QR code, or returns nil if that
// does not fit. A link too long for one line of the text gets the line below.
func besideQR(v view, s screen) []line {
	for _, quiet := range quietZones {
		code := qrCode(v.signIn.scanned(), quiet)
		if code == nil {
			return nil
		}
		p := panel{view: v, beside: true}
		p.cols = min(s.cols-width(code[0])-gap, maxPanel)
		p.urlOut = width(v.signIn.Link) > p.cols
		rows := s.rows
		if p.urlOut {
			rows--
		}
		if p.cols < minPanel || len(code) > rows || p.urlOut && width(v.signIn.Link) > s.cols {
			continue
		}
		for ; p.tight <= noTitle; p.tight++ {
			if lines := p.lines(); len(lines) <= rows {
				return join(code, lines, p)
			}
		}
	}
	return nil
}

// join centers the lines of a panel beside a QR code.
func join(code []string, lines []line, p panel) []line {
	top := max(0, (len(code)-len(lines))/2)
	frame := make([]line, max(len(code), len(lines)))
	for i := range frame {
		if i < len(code) {
			frame[i] = qrLine(code[i])
		}
		if i < top || i-top >= len(lines) || lines[i-top].width() == 0 {
			continue
		}
		pad := width(code[0]) + gap - frame[i].width()
		frame[i] = append(frame[i], span{strings.Repeat(" ", pad), plain})
		frame[i] = append(frame[i], lines[i-top]...)
	}
	if p.urlOut {
		frame = append(frame, text(p.signIn.Link, underline))
	}
	return frame
}

// whyNoQR explains why a frame has no QR code, if one was wanted.
func whyNoQR(v view, s screen) string {
	if !v.qr {
		return ""
	}
	code := qrCode(v.signIn.scanned(), quietZones[len(quietZones)-1])
	if code == nil {
		return "no QR code: the link is too long for one"
	}
	need := roomForQR(v, screen{max(s.cols, width(code[0])+gap+minPanel), len(code)})
	if need == (screen{}) {
		return "no QR code: the link is too long for one"
	}
	// One row stays free below the frame.
	return fmt.Sprintf("no QR code: it needs %d x %d characters, the window has %d x %d", need.cols, need.rows+1, s.cols, s.rows+1)
}

// The largest window that is asked for.
const maxCols, maxRows = 400, 200

// roomForQR returns the smallest screen of at least s in which a frame has the QR
// code, preferring more rows to more columns; none if none fits.
func roomForQR(v view, s screen) screen {
	fits := func(s screen) bool { return besideQR(v, s) != nil }
	for s.cols < maxCols && !fits(screen{s.cols, maxRows}) {
		s.cols++
	}
	for s.rows < maxRows && !fits(s) {
		s.rows++
	}
	if !fits(s) {
		return screen{}
	}
	return s
}

func (p panel) lines() []line {
	if p.tight >= tightest {
		return p.least()
	}
	var out []line
	add := func(lines ...line) { out = append(out, lines...) }
	blank := func() {
		if p.tight < noBlanks {
			add(line{})
		}
	}
	if p.tight < noTitle {
		add(p.wrapped("Sign in to "+Host(p.signIn.Server), bold)...)
		blank()
	}
	add(p.steps()...)
	blank()
	add(p.partyLines()...)
	blank()
	add(p.warnings()...)
	if p.noQR != "" && p.tight < noTitle {
		add(p.wrapped(p.noQR, dim)...)
	}
	blank()
	add(p.state())
	return out
}

// least is code, URL and state, and the warnings after them.
func (p panel) least() []line {
	out := append(p.wrapped(p.signIn.Code, bold), p.link()...)
	out = append(out, p.state())
	return append(out, p.warnings()...)
}

// warnings say what to check before approving.
func (p panel) warnings() []line {
	var out []line
	for _, text := range append(HostWarning(p.signIn.Hosts), warning) {
		out = append(out, p.wrapped(text, magenta)...)
	}
	return out
}

// steps are the instructions, with the link and the code.
func (p panel) steps() []line {
	var out []line
	open := "Open on any device"
	if p.beside {
		open = "Scan the code, or open"
	}
	if p.urlOut {
		open = "Scan the code, or open the link below"
	}
	link := p.link()
	if !p.urlOut && len(link) == 0 {
		open += " the link above"
	}
	out = append(out, p.wrapped(open, plain)...)
	if !p.urlOut {
		out = append(out, link...)
	}
	enter := p.wrapped("and enter "+p.signIn.Code, plain)
	if len(enter) == 1 {
		enter = []line{{{"and enter ", plain}, {p.signIn.Code, bold}}}
	} else {
		enter = append(p.wrapped("and enter", plain), p.wrapped(p.signIn.Code, bold)...)
	}
	out = append(out, enter...)
	return append(out, p.large()...)
}

// link is the link in the panel, in lines that flow where it is longer than one; nil
// if it is above the frame, or if it is unknown where the terminal would wrap it.
func (p panel) link() (out []line) {
	if cols := width(p.signIn.Link); cols > p.cols && (p.above || cols != len(p.signIn.Link)) {
		return nil
	}
	pieces := cut(p.signIn.Link, p.cols)
	for _, piece := range pieces[:len(pieces)-1] {
		out = append(out, text(piece, flowing))
	}
	return append(out, text(pieces[len(pieces)-1], underline))
}

// large is the code in spaced letters in a box, legible from across a desk. It
// is nil if it does not fit: the instructions have the code too.
func (p panel) large() []line {
	n := len([]rune(p.signIn.Code))
	if p.tight >= noBox || n > maxBoxed || width(p.signIn.Code) != n || 2*n+7 > p.cols {
		return nil
	}
	spaced := strings.Join(strings.Split(p.signIn.Code, ""), " ")
	bar := strings.Repeat("─", len(spaced)+6)
	box := []line{
		text("╭"+bar+"╮", dim),
		{{"│   ", dim}, {spaced, bold}, {"   │", dim}},
		text("╰"+bar+"╯", dim),
	}
	if p.tight < noBlanks {
		box = append([]line{{}}, box...)
	}
	return box
}

// partyLines names the Parties. One host that both signs in and issues the token
// has one line.
func (p panel) partyLines() []line {
	h := p.signIn.Hosts
	rows := [][2]string{{"client", p.signIn.Client}, {"server", h.Server}, {"sign-in", h.SignIn}}
	short := fmt.Sprintf("%s for %s at %s", p.signIn.Client, h.Server, h.SignIn)
	if h.SignIn != h.Issuer {
		rows = append(rows, [2]string{"token by", h.Issuer})
		short += ", token by " + h.Issuer
	}
	if p.tight >= noLabels {
		return p.wrapped(short, dim)
	}
	var out []line
	for _, row := range rows {
		const label = 9
		for i, piece := range cut(row[1], p.cols-label) {
			name := row[0]
			if i > 0 {
				name = ""
			}
			out = append(out, line{{fmt.Sprintf("%-*s", label, name), dim}, {piece, plain}})
		}
	}
	return out
}

// state is the status and the countdown on one line: the longest form that
// fits.
func (p panel) state() line {
	left := p.left()
	var forms []string
	switch p.progress.Status {
	case SlowedDown:
		forms = []string{"waiting, slower as requested", "waiting slowly"}
	case Unreachable:
		again := max(0, p.progress.Next.Sub(p.now)).Round(time.Second) / time.Second
		forms = []string{
			fmt.Sprintf("no answer, next attempt in %d s", again),
			fmt.Sprintf("no answer, retry %d s", again), "no answer",
		}
	default:
		forms = []string{"waiting for approval", "waiting"}
	}
	for _, f := range forms {
		if l := text(f+left, dim); l.width() <= p.cols {
			return l
		}
	}
	short := forms[len(forms)-1]
	if left != "" {
		short = strings.TrimPrefix(left, separator)
	}
	return text(cut(short, p.cols)[0], dim)
}

const separator = " · "

// left is the countdown, rounded up so that it ends when the code does.
func (p panel) left() string {
	if p.signIn.Expiry.IsZero() {
		return ""
	}
	s := int(max(0, p.signIn.Expiry.Sub(p.now)+time.Second-1) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%s%d:%02d:%02d left", separator, s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%s%d:%02d left", separator, s/60, s%60)
}

// wrapped is a text in one style, broken to the panel's width.
func (p panel) wrapped(s string, st style) []line {
	var out []line
	for _, l := range Wrap(s, p.cols) {
		out = append(out, text(l, st))
	}
	return out
}
