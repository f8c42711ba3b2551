package agentd

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/agent"
)

func mustParse(t *testing.T, text string) Sink {
	t.Helper()
	s, err := ParseSink(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withSinks makes the agent write these files.
func withSinks(keep bool, sinks ...Sink) func(*Config) {
	return func(c *Config) { c.Sinks, c.KeepSinks = sinks, keep }
}

// TestSinkAlwaysValid: with tokens that expire after two seconds, for a minute, a
// reader always gets a complete and valid token.
func TestSinkAlwaysValid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 2*time.Second)
		w.login("a")
		stop := w.start(withSinks(false, mustParse(t, "a="+path+",format=json")))
		seen := map[string]bool{}
		for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(7 * time.Millisecond) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var a agent.Answer
			if err := json.Unmarshal(data, &a); err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			if !a.Expiry.After(time.Now()) || !w.works(a) {
				t.Fatalf("at %s: a token that expired at %s", time.Now(), a.Expiry)
			}
			seen[a.Headers["Authorization"]] = true
		}
		if len(seen) < 30 {
			t.Errorf("%d tokens in a minute", len(seen))
		}
		stop()
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestSinkFollowsTheLogin: the file is removed on logout, written at the next login,
// repaired if it is damaged, and removed when its token expires.
func TestSinkFollowsTheLogin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "token")
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		s := mustParse(t, "a="+path)
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		defer w.start(withSinks(true, s))()
		missing := func(when string) {
			t.Helper()
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s the file exists (%v)", when, err)
			}
		}
		exists := func(when string) string {
			t.Helper()
			data, err := os.ReadFile(path)
			if err != nil || !strings.HasPrefix(string(data), "at-") || bytes.Count(data, []byte("\n")) != 1 {
				t.Errorf("%s the file contains %q (%v)", when, data, err)
			}
			return string(data)
		}
		missing("before the login")
		w.login("a")
		time.Sleep(syncEvery + lookEvery)
		synctest.Wait()
		first := exists("after the login")
		if err := os.WriteFile(path, []byte("at-other"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery)
		synctest.Wait()
		if again := exists("after the damage"); again != first {
			t.Errorf("repaired as %q, want %q", again, first)
		}
		w.agent.jumped(-time.Hour)
		time.Sleep(lookEvery)
		synctest.Wait()
		if renewed := exists("after the clock was set back"); renewed == first {
			t.Error("the token's expiry is not known")
		}
		w.store.fail(os.ErrPermission)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		missing("after the token's expiry")
		w.store.fail(nil)
		time.Sleep(idle + lookEvery)
		synctest.Wait()
		exists("after the store's recovery")
		_, v, err := w.store.Memory.Get(t.Context(), "a")
		if err == nil {
			err = w.store.Delete(t.Context(), "a", v)
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		missing("after the logout")
	})
}

// TestSinkRetries: a failed write is reported once and retried.
func TestSinkRetries(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "token")
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		w.login("a")
		defer w.start(withSinks(true, mustParse(t, "a="+path+",format=header")))() // the folder does not exist
		time.Sleep(3 * sinkRetry)
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(sinkRetry)
		synctest.Wait()
		if data, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(data), "Authorization: Bearer at-") {
			t.Errorf("%q, %v", data, err)
		}
	})
}

// TestSinkNeverPartial: concurrent readers always get complete contents.
func TestSinkNeverPartial(t *testing.T) {
	s := Sink{Path: filepath.Join(t.TempDir(), "token")}
	a, b := bytes.Repeat([]byte("a"), 64<<10), bytes.Repeat([]byte("b"), 32<<10)
	if err := s.write(a); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if data, err := os.ReadFile(s.Path); err != nil || !bytes.Equal(data, a) && !bytes.Equal(data, b) {
					t.Errorf("%d bytes, %v", len(data), err)
					return
				}
			}
		})
	}
	for i := range 500 {
		data := a
		if i%2 == 0 {
			data = b
		}
		if err := s.write(data); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	if info, err := os.Stat(s.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if left, err := os.ReadDir(filepath.Dir(s.Path)); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestSinkCheck: a sink is rejected where another user could replace it, and a file
// that no sink has written is not replaced.
func TestSinkCheck(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte("export A=1\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("leftover", 0o600)
	write("bashrc", 0o644)
	if err := errors.Join(os.Symlink(path("leftover"), path("link")), os.MkdirAll(path("open"), 0o700), os.Chmod(path("open"), 0o777)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"new": "", "deep/er/new": "", "leftover": "", "bashrc": "is not a token file", "link": "not a regular file",
		"open": "not a regular file", "open/token": "other users can write to the folder", "bashrc/token": "not a directory",
	} {
		err := Sink{Path: path(name)}.Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestParseSink(t *testing.T) {
	for text, want := range map[string]Sink{
		"a=/x":                        {"a", "/x", SinkToken},
		"a=/x,format=env":             {"a", "/x", SinkEnv},
		"a=/x=y,z,format=header":      {"a", "/x=y,z", SinkHeader},
		"a=/x,format=env,format=json": {"a", "/x,format=env", SinkJSON},
		"a":                           {},
		"a=":                          {},
		"=/x":                         {},
		"a=/x,format=yaml":            {},
		"a=/x,format=":                {},
	} {
		got, err := ParseSink(text)
		if (err != nil) != (want == Sink{}) || err == nil && got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
