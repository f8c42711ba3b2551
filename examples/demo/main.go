// Demo is an MCP server with an authorization server on a loopback address,
// to try mcp-login without an account anywhere.
//
//	go run ./examples/demo                        # serve until interrupted
//	go run ./examples/demo -run bin/mcp-login     # show a complete sign-in with the program (make demo)
//
// With -auto-approve 5s it needs no browser (make demo AUTO=5s).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// autoApprove is the time after which the server approves a tour without a terminal.
const autoApprove = 3 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var cfg demoserver.Config
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:0", "loopback `address` to listen on; port 0 selects a free one")
	program := flags.String("run", "", "`path` of mcp-login: show a complete sign-in with it, then stop")
	verbose := flags.Bool("v", false, "log each request to standard error")
	flags.DurationVar(&cfg.AccessTTL, "access-ttl", 0, "lifetime of an access token (default 10m)")
	flags.DurationVar(&cfg.CodeTTL, "code-ttl", 0, "lifetime of a device code (default 10m)")
	flags.DurationVar(&cfg.Interval, "interval", 0, "wait between two polls (default 2s)")
	flags.DurationVar(&cfg.AutoApprove, "auto-approve", 0, "approve by itself after this time, for a machine without a browser (default never)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *verbose {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	noTerminal := !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd()))
	if *program != "" && noTerminal && cfg.AutoApprove == 0 {
		cfg.AutoApprove = autoApprove
	}

	server, stop, err := listen(*addr, cfg)
	if err != nil {
		return err
	}
	defer stop()
	if *program != "" {
		return tour(ctx, os.Stdout, *program, server.MCP(), cfg.AutoApprove)
	}
	fmt.Printf("MCP server: %s\nDevice page: %s\n\nIn another terminal, sign in:\n  mcp-login login demo %[1]s\n", server.MCP(), server.URL()+"/device")
	fmt.Printf("Then open the device page in a browser on this machine and enter the code.\n%sPress Ctrl-C to stop.\n", noBrowserHint(server.MCP(), "stop it, and add -auto-approve 5s", ""))
	<-ctx.Done()
	return nil
}

// listen serves on a loopback address until stop is called.
func listen(addr string, cfg demoserver.Config) (server *demoserver.Server, stop func(), err error) {
	ln, err := netcheck.Listen(addr) // loopback only: anyone who can reach the demo can approve
	if err != nil {
		return nil, nil, err
	}
	cfg.URL = "http://" + ln.Addr().String()
	server, err = demoserver.New(cfg)
	if err != nil {
		return nil, nil, errors.Join(err, ln.Close())
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = web.Serve(ln) // always ErrServerClosed, after Close
	}()
	return server, func() {
		_ = web.Close() // best effort
		<-done
	}, nil
}
