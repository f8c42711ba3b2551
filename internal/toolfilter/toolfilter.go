// Package toolfilter keeps an MCP client from using tools that its user does not allow. It
// must not know how a server is reached, or who the client is.
//
//	filter, err := toolfilter.New(toolfilter.Rules{Deny: []string{"delete*"}}, log)
//	client := &http.Client{Transport: filter.Around(transport, server)}
//
// A [Filter] stands between a client and a server that support Streamable HTTP. It removes
// tools from the responses to tools/list, and answers a tools/call itself if the tool is
// not allowed.
//
// # Security
//
// The client is not trusted: a text that it read may have misled it. A message passes only
// if every reader of JSON and of MCP interprets it in the same way: see [ErrAmbiguous]. If
// rules deny names, or allow only read-only tools, a call passes only if the server lists a
// tool of exactly that name. The server is trusted to know what its tools do.
package toolfilter

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/printable"
)

// Rules say which tools a client may use. The zero value allows all.
type Rules struct {
	Allow    []string // patterns of names; empty means every name
	Deny     []string // patterns of names in any case, which override Allow
	ReadOnly bool     // only tools that the server marks as read-only
}

// Texts returns texts that differ for different rules; none if the rules allow everything.
func (r Rules) Texts() (all []string) {
	for _, text := range r.Allow {
		all = append(all, "allow "+text)
	}
	for _, text := range r.Deny {
		all = append(all, "deny "+text)
	}
	if r.ReadOnly {
		all = append(all, "read-only")
	}
	return all
}

// ErrPattern means that a pattern matches no tool that its user can mean.
var ErrPattern = errors.New("a pattern of tool names")

// checkPattern rejects an empty pattern, and what is probably a list of patterns: MCP
// discourages commas and spaces in names, and a deny list that matches nothing would go
// unnoticed.
func checkPattern(text string) error {
	switch {
	case text == "":
		return fmt.Errorf("%w is empty", ErrPattern)
	case strings.Contains(text, ","), strings.TrimSpace(text) != text:
		return fmt.Errorf("%w, %q, has a comma or a space around it; repeat the option for each pattern, and use ? for such a character", ErrPattern, displayName(text))
	}
	return nil
}

const (
	// maxKnown is the maximum number of tools of a server that are remembered, and maxName
	// the maximum length of a name. Calls of other tools do not pass.
	maxKnown = 10_000
	maxName  = 1 << 10
	// maxDisplayName is how much of a name is shown.
	maxDisplayName = 128
)

// Filter applies rules to what goes to one server. A nil Filter lets everything pass.
type Filter struct {
	allow, deny []pattern
	readOnly    bool
	log         *slog.Logger

	mu    sync.Mutex      // guards known
	known map[string]bool // the tools that the server lists, and whether they are read-only
}

// New returns a filter; nil if the rules allow everything. It logs each call that does not
// pass; a nil log means silence.
func New(r Rules, log *slog.Logger) (*Filter, error) {
	if len(r.Texts()) == 0 {
		return nil, nil
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &Filter{readOnly: r.ReadOnly, log: log, known: map[string]bool{}}
	var err error
	if f.allow, err = patterns(r.Allow, ""); err != nil {
		return nil, err
	}
	f.deny, err = patterns(r.Deny, "(?i)")
	return f, err
}

// pattern is a pattern of names, as typed and as matched.
type pattern struct {
	text  string
	match *regexp.Regexp
}

// patterns reads patterns in which * stands for any text and ? for one character.
func patterns(texts []string, mode string) (all []pattern, err error) {
	wildcards := strings.NewReplacer(`\*`, ".*", `\?`, ".")
	for _, text := range texts {
		if err := checkPattern(text); err != nil {
			return nil, err
		}
		re, err := regexp.Compile("(?s)" + mode + "^" + wildcards.Replace(regexp.QuoteMeta(text)) + "$")
		if err != nil {
			return nil, fmt.Errorf("the pattern %q: %w", text, err)
		}
		all = append(all, pattern{text, re})
	}
	return all, nil
}

// Denies reports whether no tool of a name may be called, whatever the server lists, and
// returns the error that says so.
func (f *Filter) Denies(name string) (denied bool, code int, text string) {
	if f == nil {
		return false, 0, ""
	}
	why := f.refusal(name)
	if why == "" {
		return false, 0, ""
	}
	return true, mcpwire.CodeParams, f.logRefusal(name, why)
}

// logRefusal logs that a call does not pass, and returns the error text for the client.
func (f *Filter) logRefusal(name, why string) string {
	f.log.Warn("tool call refused", "tool", displayName(name), "reason", why)
	return fmt.Sprintf("the tool %q is not allowed: %s", displayName(name), why)
}

// refusal returns why a name is not allowed; "" if it may be.
func (f *Filter) refusal(name string) string {
	for _, p := range f.deny {
		if p.match.MatchString(name) {
			return "--deny-tool " + p.text + " denies it"
		}
	}
	for _, p := range f.allow {
		if p.match.MatchString(name) {
			return ""
		}
	}
	if len(f.allow) > 0 {
		return "no --allow-tool allows it"
	}
	return ""
}

// needsList reports whether a call depends on what the server lists.
func (f *Filter) needsList() bool { return f.readOnly || len(f.deny) > 0 }

// refusalOf is refusal for a tool that the server lists.
func (f *Filter) refusalOf(t tool) string {
	if why := f.refusal(t.name); why != "" {
		return why
	}
	if f.readOnly && !t.readOnly {
		return notReadOnly
	}
	return ""
}

const (
	notReadOnly = "--read-only allows only tools that the server marks as read-only"
	notListed   = "the server lists no tool of this name"
)

// knownRefusal returns why a tool is not allowed, by what is known about it.
func (f *Filter) knownRefusal(name string) (why string, known bool) {
	f.mu.Lock()
	readOnly, known := f.known[name]
	f.mu.Unlock()
	return f.refusalOf(tool{name: name, readOnly: readOnly}), known
}

// noteTool records a tool that the server lists. A name is read-only only if every tool of
// that name is, on every page, until the server says that its tools changed.
func (f *Filter) noteTool(t tool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if readOnly, known := f.known[t.name]; known || len(f.known) < maxKnown {
		f.known[t.name] = t.readOnly && (readOnly || !known)
	}
}

// resetTools forgets the tools, because the server has changed them.
func (f *Filter) resetTools() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.known)
}

// displayName returns a name that is safe to show.
func displayName(name string) string {
	name = printable.Line(name)
	if len(name) > maxDisplayName {
		name = strings.ToValidUTF8(name[:maxDisplayName], "") + "…"
	}
	return name
}
