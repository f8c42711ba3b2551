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

	"github.com/mcp-login/mcp-login/internal/semaphore"
	"github.com/mcp-login/mcp-login/secrets"
)

// Config says where a store is and which keeper has its key.
type Config struct {
	Dir    string // the folder of the records; created on the first write, with mode 0700
	Keeper Keeper // keeps the store key; must be of the kind that the store was created with

	// Created is called after the first write has created the store. Nil: no call.
	Created func()
}

// Store is a folder of encrypted records. Use [Open] to make one.
type Store struct {
	dir     string
	created func()              // nil: none
	sem     semaphore.Semaphore // one goroutine calls the keeper at a time

	mu     sync.Mutex
	keeper Keeper
	ring   keyRing // cached keys; zero: none
}

var _ secrets.Store = (*Store)(nil)

// maxRecord limits a record in bytes: far above any credential, and it keeps a
// huge file out of memory.
const maxRecord = 16 << 20

// Open returns the store in a folder. It does no I/O: problems with the folder
// or its key are reported on first use.
func Open(c Config) (*Store, error) {
	if c.Dir == "" || c.Keeper == nil {
		return nil, errors.New("open file store: Dir and Keeper are required")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open file store: %w", err)
	}
	return &Store{dir: dir, keeper: c.Keeper, created: c.Created, sem: semaphore.New()}, nil
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
// one. If the first Put or a Rekey happens in between, the record may not match
// the header.
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
		return h, nil, secrets.Absent, s.missingHeader()
	}
	r, err := s.unlock(ctx, h)
	if err != nil {
		return h, nil, secrets.Absent, err
	}
	rec, data, err := r.open(name, raw)
	return h, data, rec.version(), err
}

// rekeyed reports whether the store's header has changed.
func (s *Store) rekeyed(h header) bool {
	now, err := s.header()
	return err == nil && !now.same(h)
}

// Put implements [secrets.Store]. It never replaces a record that it cannot
// decrypt, not even for [secrets.Any]: delete that first.
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

// load reads and decrypts a record.
func (s *Store) load(r keyRing, name string) (record, []byte, error) {
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

// List implements [secrets.Store]. It needs no key.
func (s *Store) List(ctx context.Context) ([]string, error) {
	names, err := s.records(ctx)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == secrets.Internal }), nil
}

// records returns the names of all records, including those that List omits.
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
	return slices.Compact(names), nil // a folder listing may have a file twice while files are renamed
}

// Lock implements [secrets.Store]. It locks a file next to the record, by a
// lock of the operating system, which ends when its process ends.
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

// The files of a store. Records and locks have a prefix, so that no record name
// is the name of another file or of a Windows device.
const (
	recordPrefix  = "record-"
	lockPrefix    = "lock-"
	headerFile    = "store.json"
	writeLockFile = "write.lock"
	tempFile      = "write.tmp"
)

func (s *Store) path(name string) string { return filepath.Join(s.dir, recordPrefix+escape(name)) }

// writeWait limits the wait for another writer. One that takes longer is
// suspended, or its disk hangs.
const writeWait = 20 * time.Second

// lockWrites takes the write lock, which every writer of this store holds for
// the few milliseconds of one write. Its file is kept, because removing it
// would be slower.
func (s *Store) lockWrites(ctx context.Context) (release func(), err error) {
	writeCtx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	l, err := acquire(writeCtx, filepath.Join(s.dir, writeLockFile), "store "+s.dir)
	if locked, ok := errors.AsType[*secrets.LockedError](err); ok && ctx.Err() == nil {
		locked.Err = secrets.ErrTemporary
	}
	if err != nil {
		return nil, err
	}
	return l.unlock, nil
}

// write replaces a file of the store. The caller holds the write lock, so one
// name for the temporary file is sufficient. The next write removes a leftover
// of a killed writer.
func (s *Store) write(path string, data []byte) error {
	return writeFile(path, filepath.Join(s.dir, tempFile), data)
}

// missingHeader returns the error for records without a header.
func (s *Store) missingHeader() error {
	return fmt.Errorf("%w: %s is missing, but its records exist; restore it from a backup",
		secrets.ErrUndecryptable, filepath.Join(s.dir, headerFile))
}

// hasRecords reports whether the store has records, which a new key could not
// decrypt.
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
