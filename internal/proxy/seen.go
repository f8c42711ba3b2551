package proxy

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"

	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// lists are the methods that list what a server has, with the member of the result
// that is the list.
var lists = map[string]string{
	listTools: "tools", listPrompts: "prompts", listResources: "resources", listTemplates: "resourceTemplates",
}

const (
	// maxHello bounds what is kept of an answer to initialize.
	maxHello = 1 << 20
	// maxPages bounds the parts of one list.
	maxPages = 100
)

// seen is what the server said last of itself, for when it cannot be asked.
type seen struct {
	mu       sync.Mutex // guards what follows
	loaded   bool
	snapshot proxystate.Snapshot
	parts    map[string]*parts // of lists that are not complete yet, by method
}

// parts are the pages of a list so far.
type parts struct {
	next  string // the cursor of the next page
	items []json.RawMessage
	pages int
	bytes int
}

// hello is what is kept of an answer to initialize.
type hello struct {
	Version      string                     `json:"protocolVersion,omitempty"`
	Capabilities map[string]json.RawMessage `json:"capabilities"`
	Server       json.RawMessage            `json:"serverInfo,omitempty"`
	Instructions string                     `json:"instructions,omitempty"`
}

// load returns the snapshot. The caller holds s.seen.mu.
func (s *SignIn) load() *proxystate.Snapshot {
	if !s.seen.loaded {
		s.seen.loaded, s.seen.snapshot = true, s.State.Load()
	}
	return &s.seen.snapshot
}

// hello returns what the server said last of itself; nothing where that is not known.
func (s *SignIn) hello() (h hello) {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	_ = json.Unmarshal(s.load().Hello, &h) // what cannot be read is absent
	return h
}

// discovered returns the server's last result of server/discover; nil: none is known.
func (s *SignIn) discovered() json.RawMessage {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return s.load().Discovered
}

// list returns the last known list of a method.
func (s *SignIn) list(method string) (items []json.RawMessage) {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if json.Unmarshal(s.load().Lists[method], &items) != nil {
		return nil
	}
	return items
}

// remember notes what an answer says of the server, and reports whether a list is
// now another one.
func (s *SignIn) remember(asked message, text []byte) (changed bool, err error) {
	switch asked.Method {
	case initialize:
		return false, s.rememberHello(text)
	case discover:
		return false, s.rememberDiscovered(text)
	}
	if lists[asked.Method] == "" || len(text) > maxListed {
		return lists[asked.Method] != "", nil
	}
	var answer struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	var items []json.RawMessage
	var next string
	if json.Unmarshal(text, &answer) != nil || json.Unmarshal(answer.Result[lists[asked.Method]], &items) != nil {
		return false, nil
	}
	_ = json.Unmarshal(answer.Result["nextCursor"], &next) // another type than expected: none
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	items, whole := s.seen.page(asked, items, next, len(text))
	if !whole {
		return true, nil
	}
	return s.keepList(asked.Method, items)
}

// page adds a page to a list, and reports whether that is complete.
func (s *seen) page(asked message, items []json.RawMessage, next string, size int) (all []json.RawMessage, whole bool) {
	p := s.parts[asked.Method]
	if asked.Params.Cursor == "" {
		p = &parts{}
	}
	if p == nil || p.next != asked.Params.Cursor {
		return nil, false
	}
	p.next, p.items, p.pages, p.bytes = next, append(p.items, items...), p.pages+1, p.bytes+size
	if s.parts == nil {
		s.parts = map[string]*parts{}
	}
	delete(s.parts, asked.Method)
	if next != "" && p.pages < maxPages && p.bytes <= maxListed {
		s.parts[asked.Method] = p
	}
	return p.items, next == ""
}

// keepList keeps a list. The caller holds s.seen.mu.
func (s *SignIn) keepList(method string, items []json.RawMessage) (changed bool, err error) {
	if items == nil {
		items = []json.RawMessage{}
	}
	list, err := json.Marshal(items)
	if err != nil || bytes.Equal(list, s.load().Lists[method]) {
		return false, err
	}
	if s.seen.snapshot.Lists == nil {
		s.seen.snapshot.Lists = map[string]json.RawMessage{}
	}
	s.seen.snapshot.Lists[method] = list
	return true, s.State.Save(s.seen.snapshot)
}

func (s *SignIn) rememberHello(text []byte) error {
	var answer struct {
		Result *hello `json:"result"`
	}
	if len(text) > maxHello || json.Unmarshal(text, &answer) != nil || answer.Result == nil || answer.Result.Version == "" {
		return nil
	}
	kept, err := json.Marshal(answer.Result)
	if err != nil {
		return err
	}
	return s.replace(func(known *proxystate.Snapshot) *json.RawMessage { return &known.Hello }, kept)
}

func (s *SignIn) rememberDiscovered(text []byte) error {
	var answer struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	if len(text) > maxHello || json.Unmarshal(text, &answer) != nil || answer.Result["supportedVersions"] == nil {
		return nil
	}
	kept, err := json.Marshal(answer.Result)
	if err != nil {
		return err
	}
	return s.replace(func(known *proxystate.Snapshot) *json.RawMessage { return &known.Discovered }, kept)
}

// replace replaces a part of what is known, if it is another one.
func (s *SignIn) replace(part func(*proxystate.Snapshot) *json.RawMessage, text json.RawMessage) error {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	known := part(s.load())
	if bytes.Equal(text, *known) {
		return nil
	}
	*known = text
	return s.State.Save(s.seen.snapshot)
}

// has reports whether a list of tools has one of a name.
func has(tools []json.RawMessage, name string) bool {
	return slices.ContainsFunc(tools, func(text json.RawMessage) bool {
		var tool struct {
			Name string `json:"name"`
		}
		return json.Unmarshal(text, &tool) == nil && tool.Name == name
	})
}
