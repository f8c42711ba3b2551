//go:build unix

package interrupt_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/interrupt"
)

// stage is the variable that makes this test binary one of the stages.
const stage = "MCP_LOGIN_TEST_INTERRUPT"

// ended is the exit code of a stage that saw its context end.
const ended = 3

func TestMain(m *testing.M) {
	run, ok := map[string]func(){
		"idle": func() {
			_ = interrupt.Context().Err() // does not wait
			ready()
			time.Sleep(time.Hour) // select would be a deadlock, which also ends a program
		},
		"waiting": func() {
			done := interrupt.Context().Done()
			ready()
			<-done
			os.Exit(ended)
		},
		"stuck": func() {
			ctx := interrupt.Context()
			done := ctx.Done()
			ready()
			<-done
			fmt.Println(ctx.Err())
			time.Sleep(time.Hour)
		},
	}[os.Getenv(stage)]
	if ok {
		run()
	}
	// Under nohup, the stages would ignore SIGHUP from the start. A signal that this
	// process handles has its default action in them.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT)
	os.Exit(m.Run())
}

// ready reports to the test that the stage waits.
func ready() { fmt.Println("ready") }

// TestSignals: a signal ends a program that does not wait. If it waits, the first signal
// ends the context, and the second one the program.
func TestSignals(t *testing.T) {
	for _, tt := range []struct {
		stage, prefix string
		signals       []syscall.Signal
		code          int            // of a stage that exits
		by            syscall.Signal // that ends the stage; 0: it exits
	}{
		{stage: "idle", signals: []syscall.Signal{syscall.SIGINT}, by: syscall.SIGINT},
		{stage: "idle", signals: []syscall.Signal{syscall.SIGTERM}, by: syscall.SIGTERM},
		{stage: "waiting", signals: []syscall.Signal{syscall.SIGINT}, code: ended},
		{stage: "waiting", signals: []syscall.Signal{syscall.SIGTERM}, code: ended},
		{stage: "waiting", signals: []syscall.Signal{syscall.SIGHUP}, code: ended},
		{stage: "stuck", signals: []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, by: syscall.SIGTERM},
		{stage: "idle", prefix: `trap "" HUP; `, signals: []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM}, by: syscall.SIGTERM},
		{stage: "waiting", prefix: `trap "" HUP; `, signals: []syscall.Signal{syscall.SIGHUP, syscall.SIGKILL}, by: syscall.SIGKILL},
	} {
		t.Run(fmt.Sprint(tt.stage, tt.prefix, tt.signals), func(t *testing.T) {
			t.Parallel()
			status := send(t, tt.stage, tt.prefix, tt.signals)
			if tt.by != 0 && status.Signal() != tt.by || tt.by == 0 && status.ExitStatus() != tt.code {
				t.Errorf("ended by %v with code %d", status.Signal(), status.ExitStatus())
			}
		})
	}
}

// send runs a stage, sends it signals, each after a line of its output, and returns how
// it ended.
func send(t *testing.T, name, prefix string, signals []syscall.Signal) syscall.WaitStatus {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", prefix+`exec "$0"`, os.Args[0])
	c.Env = append(os.Environ(), stage+"="+name)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i, s := range signals {
		if (i == 0 || prefix == "") && !lines.Scan() {
			t.Fatalf("%s: no line before %v", name, s)
		}
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) {
		t.Fatalf("%s: %v", name, err)
	}
	return exit.Sys().(syscall.WaitStatus)
}
