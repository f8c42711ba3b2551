//go:build e2e && linux

package localstore

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/mcp-login/mcp-login/internal/parcel"
)

const (
	parcelData       = "{\"token\": \"secret\"}\n\x00\xff"
	parcelPassphrase = "correct horse battery staple"
)

// TestAgeOpensParcel opens a parcel with the age program, with the passphrase typed at
// its prompt.
func TestAgeOpensParcel(t *testing.T) {
	dir := t.TempDir()
	packed, err := parcel.Pack([]byte(parcelData), []byte(parcelPassphrase), parcel.WorkFactor)
	if err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(dir, "in.age"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	age(t, 1, "--decrypt", "--output", out, in)
	if got := read(t, out); string(got) != parcelData {
		t.Errorf("age returned %q, want %q", got, parcelData)
	}
}

// TestUnpackAgeFile unpacks an armored file of the age program.
func TestUnpackAgeFile(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.age")
	if err := os.WriteFile(in, []byte(parcelData), 0o600); err != nil {
		t.Fatal(err)
	}
	age(t, 2, "--passphrase", "--armor", "--output", out, in)
	got, err := parcel.Unpack(read(t, out), []byte(parcelPassphrase))
	if string(got) != parcelData || err != nil {
		t.Errorf("Unpack = %q, %v, want %q", got, err, parcelData)
	}
}

// age runs the program on a terminal and answers this number of questions.
func age(t *testing.T, questions int, args ...string) {
	t.Helper()
	cmd := exec.Command("age", args...)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var screen bytes.Buffer
	for range questions {
		waitFor(t, terminal, &screen, "passphrase")
		if _, err := io.WriteString(terminal, parcelPassphrase+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	io.Copy(&screen, terminal) // ends with an error when age closes its side
	if err := cmd.Wait(); err != nil {
		t.Fatalf("age: %v\n%s", err, &screen)
	}
}

// waitFor reads until the screen ends with a question that contains the word.
func waitFor(t *testing.T, terminal io.Reader, screen *bytes.Buffer, word string) {
	t.Helper()
	begin := screen.Len()
	chunk := make([]byte, 1<<10)
	for {
		n, err := terminal.Read(chunk)
		screen.Write(chunk[:n])
		text := screen.String()[begin:]
		if strings.Contains(strings.ToLower(text), word) && strings.HasSuffix(strings.TrimSpace(text), ":") {
			return
		}
		if err != nil {
			t.Fatalf("age did not prompt: %v\n%s", err, screen)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
