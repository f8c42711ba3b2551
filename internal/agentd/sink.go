package agentd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/secrets"
)

// Sink is a file in which the agent keeps the valid token of a profile, for
// programs that can only read files. Without a valid token the file does not
// exist.
type Sink struct {
	Profile string
	Path    string // absolute
	Format  SinkFormat
}

const (
	// sinkRetry is the retry delay after a failed write.
	sinkRetry = 5 * time.Second
	// maxSink is the maximum size of a file that a sink replaces, in bytes.
	maxSink = 1 << 20
)

// ParseSink reads NAME=PATH or NAME=PATH,format=FORMAT. A relative path is made
// absolute.
func ParseSink(text string) (s Sink, err error) {
	name, path, found := strings.Cut(text, "=")
	if !found || path == "" {
		return s, fmt.Errorf("%q: use NAME=PATH, such as notion=/run/tokens/notion", text)
	}
	if err := secrets.CheckName(name); err != nil {
		return s, fmt.Errorf("%q: %w", text, err)
	}
	s = Sink{Profile: name, Format: SinkToken}
	if before, format, found := cutLast(path, ",format="); found {
		path, s.Format = before, SinkFormat(format)
	}
	if !slices.Contains(SinkFormats(), s.Format) {
		return s, fmt.Errorf("%q: unknown format %q; use token, header, env or json", text, s.Format)
	}
	s.Path, err = filepath.Abs(path)
	return s, err
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// Check returns an error if the agent must not write a token to the path: others
// could replace the file or its folder, or a file exists that no sink wrote. A
// missing folder is created with mode 0700.
func (s Sink) Check() error {
	dir := filepath.Dir(s.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := privsock.CheckFolder(dir, "the file"); err != nil {
		return err
	}
	info, err := os.Lstat(s.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file (%s)", s.Path, info.Mode())
	case info.Size() > maxSink || info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return fmt.Errorf("%s already exists (%s, %d bytes) and is not a token file; remove it, or use another path", s.Path, info.Mode(), info.Size())
	}
	if uid, known := paths.Owner(s.Path); known && uid != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d", s.Path, uid)
	}
	return nil
}

// temp returns the path of the temporary file.
func (s Sink) temp() string {
	return filepath.Join(filepath.Dir(s.Path), "."+filepath.Base(s.Path)+".tmp")
}

// write atomically replaces the file, or removes it if data is nil.
func (s Sink) write(data []byte) error {
	if data == nil {
		return remove(s.Path)
	}
	if err := remove(s.temp()); err != nil { // a leftover of a killed writer
		return err
	}
	f, err := os.OpenFile(s.temp(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(s.temp(), s.Path)
	}
	if err != nil {
		return errors.Join(err, remove(s.temp()))
	}
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// holds reports whether the file has this content; nil: whether it does not
// exist.
func (s Sink) holds(data []byte) bool {
	info, err := os.Lstat(s.Path)
	if err != nil || data == nil {
		return data == nil && errors.Is(err, fs.ErrNotExist)
	}
	if !info.Mode().IsRegular() || info.Size() != int64(len(data)) || info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return false
	}
	now, err := os.ReadFile(s.Path)
	return err == nil && bytes.Equal(now, data)
}

// sink is the state of a Sink.
type sink struct {
	Sink
	changed chan struct{} // signaled when the profile may have changed
	failed  bool          // the last write
}

func (a *Agent) hasSink(profile string) bool {
	return slices.ContainsFunc(a.sinks, func(s *sink) bool { return s.Profile == profile })
}

// signalSinks makes the sinks of a profile read it again.
func (a *Agent) signalSinks(profile string) {
	for _, s := range a.sinks {
		if s.Profile == profile {
			notify(s.changed)
		}
	}
}

// keepSink updates a file with its profile's token until ctx ends.
func (a *Agent) keepSink(ctx context.Context, s *sink) {
	for {
		next := time.NewTimer(a.syncSink(s))
		select {
		case <-ctx.Done():
			next.Stop()
			a.endSink(s)
			return
		case <-s.changed:
		case <-next.C:
		}
		next.Stop()
	}
}

// syncSink writes a file if its content is not the profile's valid token, and
// returns the time until the next check.
func (a *Agent) syncSink(s *sink) time.Duration {
	data, expiry, err := a.sinkContent(s)
	if err == nil && !s.holds(data) {
		err = s.write(data)
	}
	if err != nil {
		if !s.failed {
			a.log.Error("cannot write the token to its file", "profile", s.Profile, "path", s.Path, "error", err)
		}
		s.failed = true
		return sinkRetry
	}
	s.failed = false
	if data == nil || expiry.IsZero() {
		return lookEvery
	}
	return min(max(time.Until(expiry.Round(0)), 0)+time.Nanosecond, lookEvery)
}

// sinkContent returns the content for a file and its expiry; nil for no file. A
// token that the format cannot represent is an error.
func (a *Agent) sinkContent(s *sink) ([]byte, time.Time, error) {
	p := a.kept(s.Profile)
	if p == nil {
		return nil, time.Time{}, nil
	}
	known := a.snapshot(p)
	c := known.last
	if known.suspect || !c.Valid(0) || c.Token.Access == "" {
		return nil, time.Time{}, nil
	}
	data, err := s.Format.render(c)
	if err != nil {
		return nil, time.Time{}, errors.Join(err, s.write(nil)) // not the token before this one
	}
	return data, c.Token.Expiry, nil
}

// endSink removes a file, unless KeepSinks is set.
func (a *Agent) endSink(s *sink) {
	if a.cfg.KeepSinks {
		return
	}
	if err := s.write(nil); err != nil {
		a.log.Error("cannot remove the token's file", "profile", s.Profile, "path", s.Path, "error", err)
	}
}
