package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
)

type statusOptions struct {
	common
	json, check bool
}

func newStatus(e *env) *cli.Command {
	var o statusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "tell what is stored, without the secrets",
		ArgsUsage: "NAME", UsageText: "mcp-login status notion --check --min-ttl 10m || mcp-login refresh notion",
		Flags: []cli.Flag{
			boolFlag("check", "say nothing: exit 0 if the token is valid for --min-ttl, 1 if a refresh is due, 4 if a login is", &o.check),
			boolFlag("json", "as JSON", &o.json),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runStatus(ctx, e, o, args[0]) })
}

// The states of a credential, in reports.
const (
	stateValid   = "valid"
	stateRefresh = "refresh due"
	stateLogin   = "login required"
)

// report is what status and list tell of a credential. As JSON it is a
// contract: it is added to, never changed.
type report struct {
	Profile     string     `json:"profile"`
	State       string     `json:"state,omitempty"`
	Server      string     `json:"server,omitempty"`
	Resource    string     `json:"resource,omitempty"`
	Issuer      string     `json:"issuer,omitempty"`
	ClientID    string     `json:"client_id,omitempty"`
	Flow        string     `json:"flow,omitempty"`
	Scopes      []string   `json:"scopes,omitempty"`
	Expiry      *time.Time `json:"expires_at,omitempty"`
	LoggedIn    *time.Time `json:"logged_in_at,omitempty"`
	Refreshed   *time.Time `json:"refreshed_at,omitempty"`
	Refreshable bool       `json:"refreshable"`
	Reason      string     `json:"reason,omitempty"`
	Fingerprint string     `json:"token_fingerprint,omitempty"`
	Store       string     `json:"store,omitempty"`
}

func runStatus(ctx context.Context, e *env, o statusOptions, profile string) error {
	r, err := e.report(ctx, &o.common, profile)
	if err != nil {
		return err
	}
	if o.check {
		return r.check(e)
	}
	if o.json {
		return e.answerJSON(r)
	}
	return e.answer(r.text())
}

// report reads one credential.
func (e *env) report(ctx context.Context, o *common, profile string) (report, error) {
	s, err := e.session(ctx, o, profile)
	if err != nil {
		return report{}, err
	}
	c, err := s.Credential(ctx)
	if err != nil {
		return report{}, err
	}
	r := report{
		Profile: c.Profile, Server: c.Server, Resource: c.Resource, Issuer: c.Issuer.Issuer, ClientID: c.App.ID,
		Flow: c.Flow, Scopes: c.Scopes(), Expiry: known(c.Token.Expiry), LoggedIn: known(c.LoggedInAt), Refreshed: known(c.RefreshedAt),
		Reason: c.Refused, Fingerprint: fingerprint(c.Token.Access),
		Refreshable: c.Token.Refresh != "" && c.Refused == "",
	}
	r.State = state(c, r.Refreshable, o.minTTL)
	r.Store, err = e.storeName(o)
	return r, err
}

func state(c mcplogin.Credential, refreshable bool, minTTL time.Duration) string {
	switch {
	case c.Valid(minTTL):
		return stateValid
	case refreshable:
		return stateRefresh
	}
	return stateLogin
}

// check is the answer by exit code alone.
func (r report) check(e *env) error {
	switch r.State {
	case stateValid:
		return nil
	case stateRefresh:
		return &codeError{code: exitFailed}
	}
	return &codeError{code: exitLoginRequired, hint: e.loginCommand(r.Profile, r.Server)}
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// fingerprint tells two tokens apart and gives neither away.
func fingerprint(token string) string {
	if token == "" {
		return ""
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256([]byte(token)))
}

func (r report) text() []byte {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range []struct{ label, value string }{
		{"profile", r.Profile},
		{"state", r.State},
		{"reason", r.Reason},
		{"server", r.Server},
		{"resource", r.Resource},
		{"issuer", r.Issuer},
		{"client", r.ClientID},
		{"flow", r.Flow},
		{"scopes", strings.Join(r.Scopes, " ")},
		{"token", r.Fingerprint},
		{"expires", when(r.Expiry)},
		{"logged in", when(r.LoggedIn)},
		{"refreshed", when(r.Refreshed)},
		{"store", r.Store},
	} {
		if row.value != "" {
			fmt.Fprintf(w, "%s\t%s\n", row.label, row.value)
		}
	}
	_ = w.Flush() // a bytes.Buffer takes everything
	return b.Bytes()
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339) + " (" + ago(time.Until(*t)) + ")"
}

func ago(left time.Duration) string {
	if left < 0 {
		return (-left).Round(time.Second).String() + " ago"
	}
	return "in " + left.Round(time.Second).String()
}
