package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// Config says where a store is and who keeps its key.
type Config struct {
	Dir    string // the folder of the records; made on the first write, with mode 0700
	Keeper Keeper // keeps the store key; must be the one that the store was made with

	// Created is called when a first write has made the store. Nil: nobody is told.
	Created func()
}

// Store is a folder of encrypted records. Make one with [Open].
type Store struct {
	dir     string
	created func()        // nil: none
	opening chan struct{} // holds one element while a goroutine asks the keeper

	mu     sync.Mutex
	keeper Keeper
	ring   ring // what the keeper gave last; the zero ring if nothing yet
}

var _ secrets.Store = (*Store)(nil)

// maxRecord is far above any credential and keeps a stray huge file out of memory.
const maxRecord = 16 << 20

// Open returns the store of a folder. It touches no disk: what is wrong with
// the folder or its key shows on first use.
func Open(c Config) (*Store, error) {
	if c.Dir == "" || c.Keeper == nil {
		return nil, errors.New("open file store: Dir and Keeper are required")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open file store: %w", err)
	}
	return &Store{dir: dir, keeper: c.Keeper, created: c.Created, opening: make(chan struct{}, 1)}, nil
}

// Get implements [secrets.Store]. It takes no lock and writes nothing.
func (s *Store) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	if err := check(ctx, name); err != nil {
		return nil, secrets.Absent, err
	}
	data, v, err := s.get(ctx, name)
	if err != nil {
		return nil, secrets.Absent, fmt.Errorf("read record %q: %w", name, err)
	}
	return data, v, nil
}

func (s *Store) get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	if err := checkDir(s.dir); errors.Is(err, fs.ErrNotExist) {
		return nil, secrets.Absent, secrets.ErrNotFound
	} else if err != nil {
		return nil, secrets.Absent, err
	}
	h, data, v, err := s.getOnce(ctx, name)
	for err != nil && ctx.Err() == nil && s.rekeyed(h) {
		h, data, v, err = s.getOnce(ctx, name)
	}
	return data, v, err
}

// getOnce reads the header first: a broken store must not look like an empty
// one. So what happens in between, the first Put or a Rekey, can have it meet a
// record that the header does not explain.
func (s *Store) getOnce(ctx context.Context, name string) (header, []byte, secrets.Version, error) {
	h, headErr := s.header()
	if headErr != nil && !errors.Is(headErr, secrets.ErrNotFound) {
		return h, nil, secrets.Absent, headErr
	}
	raw, err := readFile(s.path(name), maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil, secrets.Absent, secrets.ErrNotFound
	}
	if err != nil {
		return h, nil, secrets.Absent, err
	}
	if headErr != nil {
		return h, nil, secrets.Absent, s.headless()
	}
	r, err := s.unlock(ctx, h)
	if err != nil {
		return h, nil, secrets.Absent, err
	}
	rec, data, err := r.open(name, raw)
	return h, data, rec.version(), err
}

// rekeyed reports whether the store has another header by now.
func (s *Store) rekeyed(h header) bool {
	now, err := s.header()
	return err == nil && !now.same(h)
}

// Put implements [secrets.Store]. It never replaces a record that it cannot
// open, not even for [secrets.Any]: delete that first.
func (s *Store) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if err := check(ctx, name); err != nil {
		return secrets.Absent, err
	}
	v, err := s.put(ctx, name, data, prev)
	if err != nil {
		return secrets.Absent, fmt.Errorf("write record %q: %w", name, err)
	}
	return v, nil
}

func (s *Store) put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if len(data) > maxRecord/2 {
		return secrets.Absent, fmt.Errorf("%w: a record of %d bytes is too large", secrets.ErrUnavailable, len(data))
	}
	if err := s.prepare(ctx); err != nil {
		return secrets.Absent, err
	}
	release, err := s.lockWrites(ctx)
	if err != nil {
		return secrets.Absent, err
	}
	defer release()
	r, err := s.unlockOrCreate(ctx)
	if err != nil {
		return secrets.Absent, err
	}
	current := secrets.Absent
	if rec, _, err := s.load(r, name); err == nil {
		current = rec.version()
	} else if !errors.Is(err, secrets.ErrNotFound) {
		return secrets.Absent, err
	}
	if prev != secrets.Any && prev != current {
		return secrets.Absent, secrets.ErrConflict
	}
	nonce := newNonce()
	return nonceVersion(nonce), s.write(s.path(name), r.seal(name, data, nonce))
}

// load reads and opens a record.
func (s *Store) load(r ring, name string) (record, []byte, error) {
	raw, err := readFile(s.path(name), maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil, secrets.ErrNotFound
	}
	if err != nil {
		return record{}, nil, err
	}
	return r.open(name, raw)
}

// Delete implements [secrets.Store]. It needs no key, and with [secrets.Any]
// it removes a damaged record too.
func (s *Store) Delete(ctx context.Context, name string, prev secrets.Version) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	if err := s.remove(ctx, name, prev); err != nil {
		return fmt.Errorf("delete record %q: %w", name, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, name string, prev secrets.Version) error {
	if err := checkDir(s.dir); errors.Is(err, fs.ErrNotExist) {
		return secrets.ErrNotFound
	} else if err != nil {
		return err
	}
	release, err := s.lockWrites(ctx)
	if err != nil {
		return err
	}
	defer release()
	path := s.path(name)
	raw, err := readFile(path, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return secrets.ErrNotFound
	}
	if prev != secrets.Any {
		if err != nil {
			return err
		}
		r, err := parseRecord(raw)
		if err != nil {
			return err
		}
		if r.version() != prev {
			return secrets.ErrConflict
		}
	}
	if err := remove(path); err != nil {
		return unavailable(err)
	}
	return syncDir(s.dir)
}

// List implements [secrets.Store]. It reads one folder and needs no key.
func (s *Store) List(ctx context.Context) ([]string, error) {
	names, err := s.records(ctx)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == secrets.Internal }), nil
}

// records returns the names of all records, those too that List leaves out.
func (s *Store) records(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkDir(s.dir); errors.Is(err, fs.ErrNotExist) {
		return []string{}, nil
	} else if err != nil {
		return nil, err
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return nil, unavailable(err)
	}
	defer d.Close()
	files, err := d.Readdirnames(-1)
	if err != nil {
		return nil, unavailable(err)
	}
	names := make([]string, 0, len(files))
	for _, file := range files {
		escaped, ok := strings.CutPrefix(file, recordPrefix)
		if !ok {
			continue
		}
		name, ok := unescape(escaped)
		if ok && secrets.CheckRecord(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil // a folder read while files are renamed may tell one twice
}

// Lock implements [secrets.Store]. The lock is the operating system's lock on
// a file beside the record, so that it ends with its holder.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	unlock, err = s.lock(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("lock record %q: %w", name, err)
	}
	return unlock, nil
}

func (s *Store) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := makeDir(s.dir); err != nil {
		return nil, err
	}
	l, err := acquire(ctx, filepath.Join(s.dir, lockPrefix+escape(name)), fmt.Sprintf("record %q", name))
	if err != nil {
		return nil, err
	}
	return sync.OnceFunc(l.release), nil
}

// The files of a store. Every record and every lock has a prefix, so that no
// name becomes another file or a device name of Windows.
const (
	recordPrefix  = "record-"
	lockPrefix    = "lock-"
	headerFile    = "store.json"
	writeLockFile = "write.lock"
	tempFile      = "write.tmp"
)

func (s *Store) path(name string) string { return filepath.Join(s.dir, recordPrefix+escape(name)) }

// writeWait bounds the wait for another writer. One that takes longer is
// stopped, or its disk hangs.
const writeWait = 20 * time.Second

// lockWrites takes the lock that every writer of this store holds for the
// few milliseconds of one write. Its file stays: removing it would cost more.
func (s *Store) lockWrites(ctx context.Context) (release func(), err error) {
	within, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	l, err := acquire(within, filepath.Join(s.dir, writeLockFile), "store "+s.dir)
	if locked, ok := errors.AsType[*secrets.LockedError](err); ok && ctx.Err() == nil {
		locked.Err = secrets.ErrTemporary
	}
	if err != nil {
		return nil, err
	}
	return l.keep, nil
}

// write replaces a file of the store. Only one process writes at a time, so
// one name for the temporary file is enough, and what a killed writer left
// under it is gone with the next write.
func (s *Store) write(path string, data []byte) error {
	return writeFile(path, filepath.Join(s.dir, tempFile), data)
}

// headless is the error for records without a header.
func (s *Store) headless() error {
	return fmt.Errorf("%w: %s is missing, but its records exist; restore it from a backup",
		secrets.ErrUndecryptable, filepath.Join(s.dir, headerFile))
}

// hasRecords reports whether there is something that a new key would orphan.
func (s *Store) hasRecords(ctx context.Context) (bool, error) {
	names, err := s.records(ctx)
	return len(names) > 0, err
}

func check(ctx context.Context, name string) error {
	if err := secrets.CheckRecord(name); err != nil {
		return err
	}
	return ctx.Err()
}
