package main

// This file stands in for prompt.go, which replaces it whole: delete it when
// that lands.

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/mcp-login/mcp-login/flows/device"
)

type qrMode int

const (
	qrAuto qrMode = iota
	qrNever
)

type promptOptions struct {
	Out    io.Writer
	TTY    *os.File
	Getenv func(string) string
	JSON   bool
	QR     qrMode
	Copy   bool
}

type prompt interface {
	device.PollPrompt
	Retry(ctx context.Context) bool
	Close() error
}

type standIn struct{ out io.Writer }

func newPrompt(o promptOptions) prompt { return standIn{o.Out} }

func (p standIn) ShowCode(_ context.Context, c device.Code) {
	fmt.Fprintf(p.out, "open %s and enter %s\n", c.VerificationURI, c.UserCode)
}

func (p standIn) ShowPoll(context.Context, device.Poll) {}

func (p standIn) Retry(context.Context) bool { return false }

func (p standIn) Close() error { return nil }
