package proxy

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"

	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// lists are the methods that list what a server has, and for each the member of the result
// that holds the list.
var lists = map[string]string{
	methodListTools: "tools", methodListPrompts: "prompts", methodListResources: "resources", methodListTemplates: "resourceTemplates",
}

const (
	// maxInitializeSize limits the size of a cached result of initialize.
	maxInitializeSize = 1 << 20
	// maxPages limits the pages of one list.
	maxPages = 100
)

// serverCache is what the server last said about itself, for when it cannot be asked.
type serverCache struct {
	mu       sync.Mutex // guards the fields below
	loaded   bool
	snapshot proxystate.Snapshot
	partial  map[string]*partialList // incomplete lists, by method
}

// partialList holds the pages of a list that have arrived.
type partialList struct {
	next  string // the cursor of the next page
	items []json.RawMessage
	pages int
	bytes int
}

// initializeResult is what is cached of a result of initialize.
type initializeResult struct {
	Version      string                     `json:"protocolVersion,omitempty"`
	Capabilities map[string]json.RawMessage `json:"capabilities"`
	Server       json.RawMessage            `json:"serverInfo,omitempty"`
	Instructions string                     `json:"instructions,omitempty"`
}

// load returns the snapshot. The caller holds s.cache.mu.
func (s *SignIn) load() *proxystate.Snapshot {
	if !s.cache.loaded {
		s.cache.loaded, s.cache.snapshot = true, s.State.Load()
	}
	return &s.cache.snapshot
}

// initializeResult returns what the server last said about itself; the zero value if that
// is not known.
func (s *SignIn) initializeResult() (h initializeResult) {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	_ = json.Unmarshal(s.load().Hello, &h) // treat unreadable data as absent
	return h
}

// discoverResult returns the server's last result of server/discover; nil if there is none.
func (s *SignIn) discoverResult() json.RawMessage {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	return s.load().Discovered
}

// cachedList returns the last list that the server returned for a method.
func (s *SignIn) cachedList(method string) (items []json.RawMessage) {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if json.Unmarshal(s.load().Lists[method], &items) != nil {
		return nil
	}
	return items
}

// cacheResponse caches what a response says about the server, and reports whether a list
// has changed. A nil text means that the response is too long for the cache.
func (s *SignIn) cacheResponse(req message, text []byte) (changed bool, err error) {
	switch req.Method {
	case methodInitialize:
		return false, s.cacheInitialize(text)
	case methodDiscover:
		return false, s.cacheDiscover(text)
	}
	if lists[req.Method] == "" || text == nil || len(text) > maxListSize {
		return lists[req.Method] != "", nil
	}
	var answer struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	var items []json.RawMessage
	var next string
	if json.Unmarshal(text, &answer) != nil || json.Unmarshal(answer.Result[lists[req.Method]], &items) != nil {
		return false, nil
	}
	_ = json.Unmarshal(answer.Result["nextCursor"], &next) // treat another type as no cursor
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	items, whole := s.cache.addPage(req, items, next, len(text))
	if !whole {
		return true, nil
	}
	return s.cacheList(req.Method, items)
}

// addPage adds a page to a list, and reports whether the list is complete.
func (s *serverCache) addPage(asked message, items []json.RawMessage, next string, size int) (all []json.RawMessage, complete bool) {
	p := s.partial[asked.Method]
	if asked.Params.Cursor == "" {
		p = &partialList{}
	}
	if p == nil || p.next != asked.Params.Cursor {
		return nil, false
	}
	p.next, p.items, p.pages, p.bytes = next, append(p.items, items...), p.pages+1, p.bytes+size
	if s.partial == nil {
		s.partial = map[string]*partialList{}
	}
	delete(s.partial, asked.Method)
	if next != "" && p.pages < maxPages && p.bytes <= maxListSize {
		s.partial[asked.Method] = p
	}
	return p.items, next == ""
}

// cacheList caches a list. The caller holds s.cache.mu.
func (s *SignIn) cacheList(method string, items []json.RawMessage) (changed bool, err error) {
	if items == nil {
		items = []json.RawMessage{}
	}
	list, err := json.Marshal(items)
	if err != nil || bytes.Equal(list, s.load().Lists[method]) {
		return false, err
	}
	if s.cache.snapshot.Lists == nil {
		s.cache.snapshot.Lists = map[string]json.RawMessage{}
	}
	s.cache.snapshot.Lists[method] = list
	return true, s.State.Save(s.cache.snapshot)
}

func (s *SignIn) cacheInitialize(text []byte) error {
	var answer struct {
		Result *initializeResult `json:"result"`
	}
	if len(text) > maxInitializeSize || json.Unmarshal(text, &answer) != nil || answer.Result == nil || answer.Result.Version == "" {
		return nil
	}
	kept, err := json.Marshal(answer.Result)
	if err != nil {
		return err
	}
	return s.cachePart(func(known *proxystate.Snapshot) *json.RawMessage { return &known.Hello }, kept)
}

func (s *SignIn) cacheDiscover(text []byte) error {
	var answer struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	if len(text) > maxInitializeSize || json.Unmarshal(text, &answer) != nil || answer.Result["supportedVersions"] == nil {
		return nil
	}
	kept, err := json.Marshal(answer.Result)
	if err != nil {
		return err
	}
	return s.cachePart(func(known *proxystate.Snapshot) *json.RawMessage { return &known.Discovered }, kept)
}

// cachePart replaces a part of the snapshot if it has changed.
func (s *SignIn) cachePart(part func(*proxystate.Snapshot) *json.RawMessage, text json.RawMessage) error {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	known := part(s.load())
	if bytes.Equal(text, *known) {
		return nil
	}
	*known = text
	return s.State.Save(s.cache.snapshot)
}

// hasTool reports whether a list has a tool of a name.
func hasTool(tools []json.RawMessage, name string) bool {
	return slices.ContainsFunc(tools, func(text json.RawMessage) bool {
		var tool struct {
			Name string `json:"name"`
		}
		return json.Unmarshal(text, &tool) == nil && tool.Name == name
	})
}
