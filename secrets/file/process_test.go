package file_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// The test binary is also the other process of these tests: with roleEnv set, it
// plays that role in the place in dirEnv and keysEnv.
const (
	roleEnv = "FILE_TEST_ROLE"
	dirEnv  = "FILE_TEST_DIR"
	keysEnv = "FILE_TEST_KEYS"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(role string) error {
	s, err := file.Open(file.Config{Dir: os.Getenv(dirEnv), Keeper: file.KeyFile{Dir: os.Getenv(keysEnv)}})
	if err != nil {
		return err
	}
	ctx := context.Background()
	switch role {
	case "write":
		return playWriter(ctx, s)
	case "create":
		_, err = s.Put(ctx, "process "+strconv.Itoa(os.Getpid()), []byte("data"), secrets.Absent)
	case "rekey":
		fmt.Println("0")
		if err = s.Rekey(ctx, file.KeyFile{Dir: os.Getenv(keysEnv)}); err == nil {
			fmt.Println("1")
			io.Copy(io.Discard, os.Stdin) // until the test kills it
		}
	case "move":
		fmt.Println("0")
		err = playMover(ctx, s)
	case "count":
		err = playCounter(ctx, s)
	case "hold":
		_, err = s.Lock(ctx, "a")
		fmt.Println("held")
		io.Copy(io.Discard, os.Stdin) // until the test kills it
	}
	return err
}

// playWriter writes increasing numbers and prints each one that is stored.
func playWriter(ctx context.Context, s *file.Store) error {
	n, err := stored(ctx, s)
	fmt.Println(n)
	for err == nil {
		n++
		if _, err = s.Put(ctx, "a", bigNumber(n), secrets.Any); err == nil {
			fmt.Println(n)
		}
	}
	return err
}

// otherStore is a second store, within the folder of the keys.
func otherStore(keys string) (*file.Store, error) {
	return file.Open(file.Config{Dir: filepath.Join(keys, "other"), Keeper: file.KeyFile{Dir: keys}})
}

// playMover moves a record to another store and back, repeatedly.
func playMover(ctx context.Context, s *file.Store) error {
	other, err := otherStore(os.Getenv(keysEnv))
	for err == nil {
		if err = secrets.Move(ctx, s, other, "a"); err == nil {
			err = secrets.Move(ctx, other, s, "a")
			fmt.Println("1")
		}
	}
	return err
}

// playCounter increments a number, under the lock and with compare-and-swap.
func playCounter(ctx context.Context, s *file.Store) error {
	unlock, err := s.Lock(ctx, "a")
	if err != nil {
		return err
	}
	defer unlock()
	data, v, err := s.Get(ctx, "a")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(data))
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, "a", []byte(strconv.Itoa(n+1)), v)
	return err
}

// bigNumber is a number that fills several disk blocks, so that a partial record
// would be detected.
func bigNumber(n int) []byte {
	return []byte(strings.Repeat(strconv.Itoa(n)+" ", 2000))
}

// stored returns the number in the store if it is complete, otherwise 0.
func stored(ctx context.Context, s *file.Store) (int, error) {
	data, _, err := s.Get(ctx, "a")
	if errors.Is(err, secrets.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(data), " ")
	n, err := strconv.Atoi(first)
	if err == nil && string(data) != string(bigNumber(n)) {
		err = errors.New("half a record")
	}
	return n, err
}

// process returns another process that plays a role in this place.
func (p place) process(role string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role, dirEnv+"="+p.dir, keysEnv+"="+p.keys)
	cmd.Stderr = os.Stderr
	return cmd
}

// kills is the number of kills in each test: some hundreds in total.
const kills = 100

// TestKilledWriter: a killed writer leaves the last record that it reported as
// stored, or the next one.
func TestKilledWriter(t *testing.T) {
	p := newPlace(t)
	var killer processKiller
	last := 0
	for range kills {
		last = max(last, killer.kill(t, p.process("write")))
		n, err := stored(t.Context(), p.open(t))
		if err != nil || n != last && n != last+1 {
			t.Fatalf("the store contains %d, %v; %d was reported as stored", n, err, last)
		}
		last = n
	}
	if last < kills/10 {
		t.Errorf("%d writes in %d runs: the kills were too early for a useful test", last, kills)
	}
	put(t, p.open(t), "a", "after")
	if left := len(dirNames(t, p.dir)); left != 3 {
		t.Errorf("the store has %d files, want 3: header, record, write lock", left)
	}
}

// TestKilledCreator: a process that is killed while it creates the store leaves a
// working one.
func TestKilledCreator(t *testing.T) {
	var killer processKiller
	for range kills {
		p := newPlace(t)
		last := killer.kill(t, p.process("write"))
		s := p.open(t)
		n, err := stored(t.Context(), s)
		if err != nil || n != last && n != last+1 {
			t.Fatalf("the store contains %d, %v; %d was reported as stored", n, err, last)
		}
		if err := s.Probe(t.Context()); err != nil {
			t.Fatalf("Probe: %v", err)
		}
	}
}

// TestKilledMove: a killed mover leaves the complete record in one store or in
// both, and the next Move completes the move.
func TestKilledMove(t *testing.T) {
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "data")
	other, err := otherStore(p.keys)
	if err != nil {
		t.Fatal(err)
	}
	var killer processKiller
	moved := 0
	for range kills {
		killer.kill(t, p.process("move"))
		if _, _, err := s.Get(t.Context(), "a"); errors.Is(err, secrets.ErrNotFound) {
			moved++
		}
		if err := secrets.Move(t.Context(), other, s, "a"); err != nil {
			t.Fatalf("Move back: %v", err)
		}
		wantData(t, s, "a", "data")
		if names, err := other.List(t.Context()); len(names) != 0 || err != nil {
			t.Fatalf("the other store lists %q, %v", names, err)
		}
	}
	if moved == 0 || moved == kills {
		t.Errorf("%d of %d kills were after the move: too few or too many for a useful test", moved, kills)
	}
}

// processKiller kills processes at random instants. It adapts their lifetime to the
// speed of this machine, so that about half of them finish their work.
type processKiller struct{ maxLifetime time.Duration }

// kill runs a process, kills it at a random instant after its first number, and
// returns the last number that it printed.
func (f *processKiller) kill(t *testing.T, cmd *exec.Cmd) (last int) {
	t.Helper()
	f.maxLifetime = max(f.maxLifetime, time.Millisecond)
	stdin, err := cmd.StdinPipe() // which stays open
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	printed := 0
	for ; lines.Scan(); printed++ {
		if printed == 0 {
			time.AfterFunc(rand.N(f.maxLifetime), func() { cmd.Process.Kill() })
		}
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	if printed > 1 {
		f.maxLifetime = f.maxLifetime * 4 / 5
	} else {
		f.maxLifetime = f.maxLifetime * 5 / 4
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() == 1 {
		t.Fatalf("it exited by itself: %v", err)
	}
	return last
}

// TestProcessesCreateOneStore: processes that create the store concurrently agree
// on its key.
func TestProcessesCreateOneStore(t *testing.T) {
	const processes = 12
	for range 3 {
		p := newPlace(t)
		runAll(t, p, "create", processes)
		s := p.open(t)
		names, err := s.List(t.Context())
		if len(names) != processes || err != nil {
			t.Fatalf("List = %q, %v, want %d", names, err, processes)
		}
		for _, name := range names {
			wantData(t, s, name, "data")
		}
		p.file(t, p.keys, "") // one key file
	}
}

// TestProcessesCount: the lock is exclusive between processes, and no increment is
// lost.
func TestProcessesCount(t *testing.T) {
	const processes = 50
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "0")
	runAll(t, p, "count", processes)
	wantData(t, s, "a", strconv.Itoa(processes))
	if names := dirNames(t, p.dir); len(names) != 3 {
		t.Errorf("the store has %q, want header, record, write lock", names)
	}
}

func runAll(t *testing.T, p place, role string, processes int) {
	t.Helper()
	var cmds []*exec.Cmd
	for range processes {
		cmd := p.process(role)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// TestKilledHolder: the lock of a killed process is released immediately, and its
// lock file is removed by the next holder.
func TestKilledHolder(t *testing.T) {
	p := newPlace(t)
	cmd := p.process("hold")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("holder printed %q, %v", line, err)
	}
	s := p.open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Lock(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Lock while another process holds it = %v, want context.DeadlineExceeded", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // "signal: killed"
	wantLeft(t, p.dir, "lock-a")
	unlock, err := s.Lock(t.Context(), "a")
	if err != nil {
		t.Fatalf("Lock after its holder was killed: %v", err)
	}
	unlock()
	wantLeft(t, p.dir)
}

func wantLeft(t *testing.T, dir string, want ...string) {
	t.Helper()
	got, err := filepath.Glob(filepath.Join(dir, "lock-*"))
	if err != nil || len(got) != len(want) {
		t.Errorf("lock files %q, %v, want %q", got, err, want)
	}
}
