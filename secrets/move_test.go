package secrets_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
)

func put(t *testing.T, s secrets.Store, data string) {
	t.Helper()
	if _, err := s.Put(t.Context(), "a", []byte(data), secrets.Any); err != nil {
		t.Fatal(err)
	}
}

// wantData checks the record; "" means that it does not exist.
func wantData(t *testing.T, s secrets.Store, want string) {
	t.Helper()
	data, _, err := s.Get(t.Context(), "a")
	if want == "" && errors.Is(err, secrets.ErrNotFound) {
		return
	}
	if string(data) != want || err != nil {
		t.Errorf("Get = %q, %v, want %q", data, err, want)
	}
}

func TestMove(t *testing.T) {
	for _, tt := range []struct {
		name             string
		from, to         string // before
		wantErr          error
		wantFrom, wantTo string // after
	}{
		{"plain", "data", "", nil, "", "data"},
		{"interrupted after the copy", "data", "data", nil, "", "data"},
		{"already done", "", "data", nil, "", "data"},
		{"no record", "", "", secrets.ErrNotFound, "", ""},
		{"another record in the target", "data", "other", secrets.ErrConflict, "data", "other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var from, to secrets.Memory
			if tt.from != "" {
				put(t, &from, tt.from)
			}
			if tt.to != "" {
				put(t, &to, tt.to)
			}
			if err := secrets.Move(t.Context(), &from, &to, "a"); !errors.Is(err, tt.wantErr) {
				t.Errorf("Move = %v, want %v", err, tt.wantErr)
			}
			wantData(t, &from, tt.wantFrom)
			wantData(t, &to, tt.wantTo)
		})
	}
}

// failingStore is a store with a method that does something first.
type failingStore struct {
	*secrets.Memory
	beforeGet    func() error
	beforeDelete func() error
}

func (f failingStore) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	if f.beforeGet != nil {
		if err := f.beforeGet(); err != nil {
			return nil, secrets.Absent, err
		}
	}
	return f.Memory.Get(ctx, name)
}

func (f failingStore) Delete(ctx context.Context, name string, prev secrets.Version) error {
	if f.beforeDelete != nil {
		if err := f.beforeDelete(); err != nil {
			return err
		}
	}
	return f.Memory.Delete(ctx, name, prev)
}

// TestMoveKeepsWhatItCannotReadBack: if the target does not return what was
// written, the source is kept.
func TestMoveKeepsWhatItCannotReadBack(t *testing.T) {
	var from, to secrets.Memory
	put(t, &from, "data")
	faulty := failingStore{Memory: &to, beforeGet: func() error { put(t, &to, "rubbish"); return nil }}
	if err := secrets.Move(t.Context(), &from, faulty, "a"); !errors.Is(err, secrets.ErrConflict) {
		t.Errorf("Move = %v, want ErrConflict", err)
	}
	wantData(t, &from, "data")
}

// TestMoveInterrupted: if the delete fails, both stores have the record, and the
// next Move completes the move.
func TestMoveInterrupted(t *testing.T) {
	var from, to secrets.Memory
	put(t, &from, "data")
	failingDelete := failingStore{Memory: &from, beforeDelete: func() error { return secrets.ErrTemporary }}
	if err := secrets.Move(t.Context(), failingDelete, &to, "a"); !errors.Is(err, secrets.ErrTemporary) {
		t.Errorf("Move = %v, want ErrTemporary", err)
	}
	wantData(t, &from, "data")
	wantData(t, &to, "data")
	if err := secrets.Move(t.Context(), &from, &to, "a"); err != nil {
		t.Errorf("Move again: %v", err)
	}
	wantData(t, &from, "")
	wantData(t, &to, "data")
}

// TestMoveOfChangedRecord: a concurrent write without the lock is not lost, and no
// old copy remains.
func TestMoveOfChangedRecord(t *testing.T) {
	var from, to secrets.Memory
	put(t, &from, "old")
	busy := failingStore{Memory: &from, beforeDelete: func() error { put(t, &from, "new"); return nil }}
	if err := secrets.Move(t.Context(), busy, &to, "a"); !errors.Is(err, secrets.ErrConflict) {
		t.Errorf("Move = %v, want ErrConflict", err)
	}
	wantData(t, &from, "new")
	wantData(t, &to, "")
}
