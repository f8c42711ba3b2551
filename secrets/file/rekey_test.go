package file_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

func TestRekey(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	v := put(t, s, "a", "data of a")
	put(t, s, "b", "data of b")
	before := readFile(t, filepath.Join(p.dir, "record-a"))
	oldKey := p.file(t, p.keys, "")

	for _, k := range []file.Keeper{file.KeyFile{Dir: p.keys}, phrase("one"), phrase("two"), file.KeyFile{Dir: p.keys}} {
		if err := s.Rekey(t.Context(), k); err != nil {
			t.Fatalf("Rekey: %v", err)
		}
		wantData(t, s, "b", "data of b")
		wantData(t, p.openWith(t, k), "a", "data of a")
		if err := s.Probe(t.Context()); err != nil {
			t.Errorf("Probe: %v", err)
		}
	}
	if key := p.file(t, p.keys, ""); key == oldKey {
		t.Errorf("the old key file %s is still there", key)
	}
	if _, err := s.Put(t.Context(), "a", []byte("new"), v); err != nil {
		t.Errorf("Put with a version from before the rekey: %v", err)
	}
	writeFile(t, filepath.Join(p.dir, "record-a"), before)
	if _, _, err := p.open(t).Get(t.Context(), "a"); !errors.Is(err, secrets.ErrUndecryptable) {
		t.Errorf("Get of a record with the old key = %v, want ErrUndecryptable", err)
	}
}

func TestRekeyInvalidatesOldPassphrase(t *testing.T) {
	p := newPlace(t)
	s := p.openWith(t, phrase("old"))
	put(t, s, "a", "data")
	if err := s.Rekey(t.Context(), phrase("new")); err != nil {
		t.Fatalf("Rekey: %v", err)
	}
	if _, _, err := p.openWith(t, phrase("old")).Get(t.Context(), "a"); !errors.Is(err, secrets.ErrPassphrase) {
		t.Errorf("Get with the old passphrase = %v, want ErrPassphrase", err)
	}
	wantData(t, p.openWith(t, phrase("new")), "a", "data")
}

func TestRekeyOfNoStore(t *testing.T) {
	p := newPlace(t)
	if err := p.open(t).Rekey(t.Context(), phrase("x")); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Rekey = %v, want ErrNotFound", err)
	}
}

// TestRekeyStopsBeforeItBegins: if a rekey could not complete, nothing changes.
func TestRekeyStopsBeforeItBegins(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	put(t, p.open(t), "b", "data")
	intact := readFile(t, filepath.Join(p.dir, "record-b"))
	writeFile(t, filepath.Join(p.dir, "record-b"), intact[1:])
	before := p.snapshot(t)
	if err := p.open(t).Rekey(t.Context(), file.KeyFile{Dir: p.keys}); !errors.Is(err, secrets.ErrUndecryptable) {
		t.Errorf("Rekey with a damaged record = %v, want ErrUndecryptable", err)
	}
	if err := p.openWith(t, phrase("wrong keeper")).Rekey(t.Context(), phrase("x")); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("Rekey from another keeper = %v, want ErrUnavailable", err)
	}
	if !maps.Equal(before, p.snapshot(t)) {
		t.Error("a file was changed")
	}
}

// cancelingKeeper is a keeper that cancels the caller's context after Keep.
type cancelingKeeper struct {
	file.Keeper
	cancel context.CancelFunc
}

func (c cancelingKeeper) Keep(ctx context.Context, id string, key []byte) (json.RawMessage, error) {
	defer c.cancel()
	return c.Keeper.Keep(ctx, id, key)
}

// interruptedRekey returns a store whose Rekey from a key file to k stopped after the
// switch to the new key.
func interruptedRekey(t *testing.T, k file.Keeper) place {
	t.Helper()
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "data of a")
	put(t, s, "b", "data of b")
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Rekey(ctx, cancelingKeeper{k, cancel}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Rekey = %v, want context.Canceled", err)
	}
	return p
}

func TestInterruptedRekeyWorks(t *testing.T) {
	p := interruptedRekey(t, phrase("new"))
	s := p.openWith(t, phrase("new"))
	if st, err := s.Status(t.Context()); !st.Rekeying || st.Keeper != "passphrase" || err != nil {
		t.Errorf("Status = %+v, %v, want Rekeying", st, err)
	}
	wantData(t, s, "a", "data of a")
	put(t, s, "a", "new")
	wantData(t, s, "a", "new")
	wantData(t, s, "b", "data of b")
}

// TestInterruptedRekeyIsResumed: a rekey can be resumed with the same keepers, or from
// the new keeper to another one.
func TestInterruptedRekeyIsResumed(t *testing.T) {
	for name, open := range map[string]func(place) *file.Store{
		"same keepers": func(p place) *file.Store { return p.open(t) },
		"new keeper":   func(p place) *file.Store { return p.openWith(t, phrase("new")) },
	} {
		t.Run(name, func(t *testing.T) {
			p := interruptedRekey(t, phrase("new"))
			s := open(p)
			if err := s.Rekey(t.Context(), phrase("new")); err != nil {
				t.Fatalf("Rekey again: %v", err)
			}
			if st, err := s.Status(t.Context()); st.Rekeying || st.Records != 2 || err != nil {
				t.Errorf("Status = %+v, %v, want it completed", st, err)
			}
			s = p.openWith(t, phrase("new"))
			wantData(t, s, "a", "data of a")
			wantData(t, s, "b", "data of b")
		})
	}
}

// TestRekeyAmongReadersAndWriters: a concurrent rekey does not affect them.
func TestRekeyAmongReadersAndWriters(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "count", "0")
	done := make(chan struct{})
	var wg sync.WaitGroup
	total := 0
	for i := range 3 {
		s := p.open(t)
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				data, v, err := s.Get(t.Context(), "count")
				if err != nil {
					t.Errorf("Get: %v", err)
					return
				}
				if i > 0 {
					continue
				}
				total++
				if _, err := s.Put(t.Context(), "count", fmt.Append(nil, total), v); err != nil {
					t.Errorf("Put after %q: %v", data, err)
					return
				}
			}
		})
	}
	s := p.open(t)
	for range 10 {
		if err := s.Rekey(t.Context(), file.KeyFile{Dir: p.keys}); err != nil {
			t.Errorf("Rekey: %v", err)
		}
	}
	close(done)
	wg.Wait()
	wantData(t, s, "count", fmt.Sprint(total))
}

// TestKilledRekey: a killed rekey leaves a store that works, and that another Rekey
// completes.
func TestKilledRekey(t *testing.T) {
	const records = 5
	p := newPlace(t)
	s := p.open(t)
	for i := range records {
		put(t, s, fmt.Sprint("record ", i), fmt.Sprint("data ", i))
	}
	var killer processKiller
	interrupted := 0
	for range kills {
		killer.kill(t, p.process("rekey"))
		s := p.open(t)
		for i := range records {
			wantData(t, s, fmt.Sprint("record ", i), fmt.Sprint("data ", i))
		}
		st, err := s.Status(t.Context())
		if st.Records != records || err != nil {
			t.Fatalf("Status = %+v, %v", st, err)
		}
		if st.Rekeying {
			interrupted++
		}
	}
	if interrupted == 0 {
		t.Errorf("none of %d kills was during the rekey: not a useful test", kills)
	}
	if err := p.open(t).Rekey(t.Context(), file.KeyFile{Dir: p.keys}); err != nil {
		t.Fatalf("Rekey: %v", err)
	}
	if st, err := p.open(t).Status(t.Context()); st.Rekeying || err != nil {
		t.Errorf("Status = %+v, %v, want it completed", st, err)
	}
}
