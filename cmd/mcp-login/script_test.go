package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/interrupt"
	"github.com/mcp-login/mcp-login/internal/parcel"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// cheapWork is a low cost of encrypting a parcel, which would otherwise take a
// second in each script.
const cheapWork = 10

// TestMain makes the test binary the command under test, and copies its output to
// files that are searched for secrets.
func TestMain(m *testing.M) {
	// The scripts mostly wait for a server's polling interval.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"mcp-login": func() {
			e := sysEnv()
			e.work = cheapWork
			if dir := os.Getenv("TEST_OUTPUT"); dir != "" {
				e = copiedOutput(e, dir, os.Args[1:])
			}
			os.Exit(run(interrupt.Context(), os.Args[1:], e))
		},
	})
}

// TestScripts runs each script against a separate server, configured by
// server.json.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setup,
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "mounts":
				return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil, nil
			case "systemd":
				_, err := os.Stat("/run/systemd/system")
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"approve": func(ts *testscript.TestScript, neg bool, args []string) {
				decide(ts, args, (*oauthtest.Server).ApproveDevice)
			},
			"deny": func(ts *testscript.TestScript, neg bool, args []string) {
				decide(ts, args, (*oauthtest.Server).DenyDevice)
			},
			"revoked":  func(ts *testscript.TestScript, neg bool, args []string) { server(ts).RevokeAll() },
			"fault":    fault,
			"once":     once,
			"lifetime": lifetime,
			"requests": requests,
			"wait-for": waitFor,
			"pack":     pack,
		},
	})
}

type serverKey struct{}

func server(ts *testscript.TestScript) *oauthtest.Server {
	return ts.Value(serverKey{}).(*oauthtest.Server)
}

// setup starts the server and gives the script a home folder. A login takes one
// poll, after a second, unless server.json changes that.
func setup(env *testscript.Env) error {
	srv := &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}}
	config, err := os.ReadFile(filepath.Join(env.WorkDir, "server.json"))
	if err == nil {
		more := struct {
			TrustAny bool     // accepts every assertion
			Quirks   []string // names of oauthtest quirks
		}{}
		err = errors.Join(json.Unmarshal(config, srv), json.Unmarshal(config, &more))
		if more.TrustAny {
			srv.Trust.Assertion = func(string) error { return nil }
		}
		srv.With(slices.DeleteFunc(oauthtest.Quirks(), func(q oauthtest.Quirk) bool { return !slices.Contains(more.Quirks, q.Name) })...)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	http := httptest.NewServer(srv)
	output := env.WorkDir + "-output"
	if err := os.Mkdir(output, 0o700); err != nil {
		return err
	}
	env.Values[serverKey{}] = srv
	env.Vars = append(env.Vars,
		"URL="+http.URL+"/mcp", "ISSUER="+http.URL, "TEST_OUTPUT="+output,
		"HOME="+filepath.Join(env.WorkDir, "home"), "DATA="+filepath.Join(env.WorkDir, "home/.local/share/mcp-login"),
		"KEYS="+filepath.Join(env.WorkDir, "home/.local/state/mcp-login/keys"),
	)
	env.Defer(func() {
		http.CloseClientConnections()
		http.Close()
		if err := searchOutput(output, srv.Issued()); err != nil {
			env.T().Fatal(err)
		}
	})
	return nil
}

// decide waits for the user code of a login in its output file, and approves or
// denies it.
func decide(ts *testscript.TestScript, args []string, answer func(*oauthtest.Server, string) bool) {
	code := regexp.MustCompile(`"user_code":"([^"]+)"|^\s+([A-Z0-9]+-[A-Z0-9]+)$`)
	text := awaitMatch(ts, args[0], code)
	match := code.FindStringSubmatch(text)
	if !answer(server(ts), match[1]+match[2]) {
		ts.Fatalf("user code %q is not pending", match[1]+match[2])
	}
}

// waitFor waits until a line of a file matches: wait-for FILE PATTERN.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	awaitMatch(ts, args[0], regexp.MustCompile(args[1]))
}

func awaitMatch(ts *testscript.TestScript, file string, pattern *regexp.Regexp) string {
	var found string
	if !await.Until(func() bool {
		data, _ := os.ReadFile(ts.MkAbs(file)) // not yet written
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimRight(line, "\n"); pattern.MatchString(line) {
				found = line
				return true
			}
		}
		return false
	}) {
		ts.Fatalf("no line of %s matches %s", file, pattern)
	}
	return found
}

// fault adds a fault to an endpoint: fault ENDPOINT STATUS [BODY], for every
// request. once does so for the next request, with the same arguments.
func fault(ts *testscript.TestScript, _ bool, args []string) { disturb(ts, -1, args) }

func once(ts *testscript.TestScript, _ bool, args []string) { disturb(ts, 1, args) }

func disturb(ts *testscript.TestScript, times int, args []string) {
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	f := oauthtest.Fault{Times: times, Status: status}
	if len(args) > 2 {
		f.Body = args[2]
	}
	server(ts).Fault(oauthtest.Endpoint(args[0]), f)
}

// lifetime sets the lifetime of tokens issued from now on: lifetime DURATION.
func lifetime(ts *testscript.TestScript, _ bool, args []string) {
	ttl, err := time.ParseDuration(args[0])
	ts.Check(err)
	server(ts).SetTTL(ttl)
}

// pack encrypts a file like export: pack FILE PASSPHRASE-FILE PARCEL.
func pack(ts *testscript.TestScript, _ bool, args []string) {
	packed, err := parcel.Pack([]byte(ts.ReadFile(args[0])), bytes.TrimSpace([]byte(ts.ReadFile(args[1]))), cheapWork)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), packed, 0o600))
}

// requests checks the number of requests to an endpoint: requests ENDPOINT N.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := server(ts).Count(oauthtest.Endpoint(args[0])); (got == want) == neg {
		ts.Fatalf("%s received %d requests", args[0], got)
	}
}
