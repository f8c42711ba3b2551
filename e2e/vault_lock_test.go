//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// workerEnv has a vaultWorker as JSON. If it is set, this binary runs the worker
// instead of the tests.
const workerEnv = "E2E_VAULT_WORKER"

// vaultWorker is a process that uses a store.
type vaultWorker struct {
	Addr, Token string
	Lease       time.Duration
	Steps       int // number of increments under the lock; 0: hold it
}

// work runs the worker.
func (w vaultWorker) work(ctx context.Context) error {
	s, err := (&vaultServer{addr: w.Addr, root: w.Token}).open(vault.Config{
		Lease: w.Lease, Holder: fmt.Sprint("process ", os.Getpid()),
	})
	if err != nil {
		return err
	}
	if w.Steps == 0 {
		return holdLock(ctx, s)
	}
	for range w.Steps {
		if err := countUnderLock(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// runWorker runs the worker of workerEnv and returns the exit code.
func runWorker(text string) int {
	var w vaultWorker
	err := json.Unmarshal([]byte(text), &w)
	if err == nil {
		err = w.work(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// countUnderLock adds one to the counter. Other processes must not write meanwhile, so
// a conflict is an error like any other.
func countUnderLock(ctx context.Context, s secrets.Store) error {
	unlock, err := s.Lock(ctx, "count")
	if err != nil {
		return err
	}
	defer unlock()
	data, v, err := s.Get(ctx, "count")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(data))
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, "count", []byte(strconv.Itoa(n+1)), v)
	return err
}

// holdLock takes the lock, reads, prints a line, and writes after it has read a line.
func holdLock(ctx context.Context, s secrets.Store) error {
	unlock, err := s.Lock(ctx, "count")
	if err != nil {
		return err
	}
	defer unlock()
	_, v, err := s.Get(ctx, "count")
	if err != nil {
		return err
	}
	fmt.Println("holds")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	_, err = s.Put(ctx, "count", []byte("late"), v)
	if errors.Is(err, secrets.ErrConflict) {
		fmt.Println("conflict")
		return nil
	}
	return fmt.Errorf("the late write: %w", err)
}

// process is a running worker.
type process struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

// start starts a worker as a separate process.
func (v *vaultServer) start(t *testing.T, w vaultWorker) *process {
	t.Helper()
	w.Addr, w.Token = v.addr, v.root
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(os.Args[0])}
	p.Env = []string{workerEnv + "=" + string(text), "HOME=" + t.TempDir()}
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Process.Kill() // it has exited, or hangs
		p.Wait()
	})
	return p
}

// waitForLine waits for a line.
func (p *process) waitForLine(t *testing.T, want string) {
	t.Helper()
	p.out.Scan()
	if p.out.Text() != want {
		t.Fatalf("the other process said %q, want %q", p.out.Text(), want)
	}
}

// waitForSuccess reads the remaining output and waits for exit code 0.
func (p *process) waitForSuccess(t *testing.T) {
	var text strings.Builder
	for p.out.Scan() {
		fmt.Fprintln(&text, p.out.Text())
	}
	if err := p.Wait(); err != nil {
		t.Errorf("process: %v: %s", err, text.String())
	}
}

// TestVaultLockExcludesProcesses: many processes count under the lock. They write with
// check-and-set, so two processes with the lock at the same time would cause a
// conflict.
func TestVaultLockExcludesProcesses(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	const lease = 20 * time.Second
	const processes, steps = 30, 5
	s := v.store(t, vault.Config{Lease: lease})
	mustPut(t, s, "count", "0", secrets.Absent)
	var wg sync.WaitGroup
	for range processes {
		p := v.start(t, vaultWorker{Lease: lease, Steps: steps})
		wg.Go(func() { p.waitForSuccess(t) })
	}
	wg.Wait()
	data, _, err := s.Get(t.Context(), "count")
	if want := strconv.Itoa(processes * steps); string(data) != want || err != nil {
		t.Errorf("counted to %s, %v, want %s", data, err, want)
	}
}

// TestVaultLockAfterKilledHolder: the lock of a killed holder becomes free when its
// lease expires, and not before.
func TestVaultLockAfterKilledHolder(t *testing.T) {
	t.Parallel()
	const lease = 4 * time.Second
	v := startVault(t)
	s := v.store(t, vault.Config{Lease: lease})
	mustPut(t, s, "count", "0", secrets.Absent)

	kill := func() {
		p := v.start(t, vaultWorker{Lease: lease})
		p.waitForLine(t, "holds")
		p.Process.Kill()
		p.Wait()
	}
	lock := func() {
		unlock, err := s.Lock(t.Context(), "count")
		if err != nil {
			t.Fatalf("Lock: %v", err)
		}
		unlock()
	}
	began := time.Now()
	kill()
	if lock(); time.Since(began) < lease { // a busy machine only makes it longer
		t.Errorf("the lock of a dead holder was free after %v, want its lease of %v", time.Since(began), lease)
	}
	kill()
	time.Sleep(2*lease + 1500*time.Millisecond) // real time: the lease expires; the Date header has whole seconds
	began = time.Now()
	if lock(); time.Since(began) >= lease {
		t.Errorf("the lock of a holder that died long ago was free after %v, want at once", time.Since(began))
	}
}

// TestVaultLockFencesStoppedHolder: a holder that was stopped for longer than its lease
// and then continues overwrites nothing and releases nothing.
func TestVaultLockFencesStoppedHolder(t *testing.T) {
	t.Parallel()
	const lease = 2 * time.Second
	v := startVault(t)
	s := v.store(t, vault.Config{Lease: time.Minute}) // long, so that the lock outlasts the test
	version := mustPut(t, s, "count", "0", secrets.Absent)

	slow := v.start(t, vaultWorker{Lease: lease})
	slow.waitForLine(t, "holds")
	slow.Process.Signal(syscall.SIGSTOP)
	unlock, err := s.Lock(t.Context(), "count") // takes the expired lock
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	mustPut(t, s, "count", "of the second holder", version)

	slow.Process.Signal(syscall.SIGCONT)
	fmt.Fprintln(slow.in)
	slow.waitForLine(t, "conflict")
	slow.waitForSuccess(t)
	if data, _, err := s.Get(t.Context(), "count"); string(data) != "of the second holder" || err != nil {
		t.Errorf("record = %q, %v, want that of the second holder", data, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Lock(ctx, "count"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock while the second holder has it = %v, want context.DeadlineExceeded", err)
	}
	unlock()
}

// TestVaultLockIsRenewed: a holder that works for longer than the lease keeps the lock.
func TestVaultLockIsRenewed(t *testing.T) {
	t.Parallel()
	const lease = 6 * time.Second // renewed every 2 s
	v := startVault(t)
	s := v.store(t, vault.Config{Lease: lease})
	unlock, err := s.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), lease*3/2)
	defer cancel()
	if _, err := s.Lock(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock = %v, want context.DeadlineExceeded", err)
	}
}
