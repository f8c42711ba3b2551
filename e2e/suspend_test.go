//go:build e2e && suspend

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSuspend runs the agent, the demo server and e2e/guest in an emulated machine. The
// test sets its clock, suspends it, and lets its real-time clock wake it. That requires
// no KVM, no network and no root.
func TestSuspend(t *testing.T) {
	t.Parallel()
	kernel, err := provide("kernel")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(build(at("init"), ".", "./guest"), build(at("demo"), "..", "./examples/demo")); err != nil {
		t.Fatal(err)
	}
	if err := writeInitramfs(at("initramfs"), at("init"), at("demo"), program); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 3*commandTimeout) // emulation is slow
	defer cancel()
	machine := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-machine", "pc,accel=tcg", "-cpu", "max", "-m", "512", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", kernel, "-initrd", at("initramfs"), "-append", "console=ttyS0 no_console_suspend panic=-1 quiet",
		"-serial", "file:"+at("console"), "-serial", "stdio")
	var report, stderr bytes.Buffer
	machine.Stdout, machine.Stderr = &report, &stderr
	begin := time.Now()
	err = machine.Run()
	console, _ := os.ReadFile(at("console")) // to explain a failure

	var steps []string
	for line := range strings.Lines(report.String()) {
		line = strings.TrimSpace(line)
		t.Log(line)
		name, _, _ := strings.Cut(line, ":")
		steps = append(steps, name)
	}
	t.Logf("the machine ran for %s", time.Since(begin).Round(time.Second))
	want := []string{"ok fresh", "ok set forward", "ok set back a little", "ok set back", "ok suspended", "ok set forward, without requests"}
	if err != nil || !slices.Equal(steps, want) {
		t.Errorf("%v, %s\nits console:\n%s", err, &stderr, console)
	}
	if tokenIn(string(console), []string{"demo_at_", "demo_rt_"}) != "" {
		t.Error("the output of the programs contains a token")
	}
}

// writeInitramfs writes the initial root file system with the programs.
func writeInitramfs(path string, programs ...string) error {
	var archive bytes.Buffer
	for _, p := range programs {
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		writeCPIO(&archive, filepath.Base(p), data)
	}
	writeCPIO(&archive, "TRAILER!!!", nil)
	return os.WriteFile(path, archive.Bytes(), 0o600)
}

// writeCPIO writes one program as an entry of a cpio archive in the format newc
// (Documentation/driver-api/early-userspace/buffer-format.rst of Linux). All fields
// except the mode, the link count and the lengths may be zero.
func writeCPIO(w *bytes.Buffer, name string, data []byte) {
	const program = 0o100755
	fmt.Fprintf(w, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		0, program, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
	pad := func() { w.Write(make([]byte, -w.Len()&3)) }
	pad()
	w.Write(data)
	pad()
}
