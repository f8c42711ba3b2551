// Package cistep is for this program as a step of a CI job: it passes variables to later
// steps, and requests the identity of the job once. It must not know the command line, nor
// where a credential comes from.
package cistep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
)

// NotExportedError says why the variables of these profiles were not exported to
// later steps.
type NotExportedError struct {
	Err      error
	Profiles []string
}

func (n *NotExportedError) Error() string { return n.Err.Error() }

// Unwrap returns the cause.
func (n *NotExportedError) Unwrap() error { return n.Err }

// Export passes variables of these profiles to the later steps, and returns notes on
// how to use them. Secrets are the names of those with a token, and forEval is the
// command line for a shell.
func Export(ctx context.Context, job ci.Job, plain []envexport.Var, secrets, profiles []string, forEval string) (notes []string, err error) {
	vars := make([]ci.Var, len(plain))
	for i, v := range plain {
		vars[i] = ci.Var{Var: v, Secret: slices.Contains(secrets, v.Name)}
	}
	err = job.Export(ctx, vars)
	switch {
	case errors.Is(err, ci.ErrVariable):
		return nil, err
	case err != nil:
		return nil, &NotExportedError{err, profiles}
	}
	return reach(job.Provider, vars, forEval), nil
}

// reach says where the variables are available, unless every later step has them.
func reach(p ci.Provider, vars []ci.Var, forEval string) []string {
	var secret []string
	for _, v := range vars {
		if v.Secret {
			secret = append(secret, fmt.Sprintf("%s: $(%[1]s)", v.Name))
		}
	}
	switch {
	case p.PrintsShell():
		holds := "shell text"
		if len(secret) > 0 {
			holds = "shell text with the clear token"
		}
		return []string{
			fmt.Sprintf("caution: %v cannot export variables, so %s was printed. Evaluate it with eval; on its own, it ends up in the log and sets nothing", p, holds),
			"use: " + forEval,
		}
	case p == ci.Azure && len(secret) > 0:
		return []string{fmt.Sprintf("%v passes secret variables only to steps that map them: env: {%s}", p, strings.Join(secret, ", "))}
	}
	return nil
}

// Step requests and prints the identity of the job once. An agent requests ID tokens for
// several profiles concurrently. Nil prints nothing.
type Step struct {
	Hide func(...string)               // called with a token before anything can print it
	Said func(format string, a ...any) // prints the identity of the job, once

	mu sync.Mutex
	id ci.Identity // zero: none was requested
}

// Identity returns the identity of the job; zero if no ID token was requested.
func (s *Step) Identity() ci.Identity {
	if s == nil {
		return ci.Identity{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// Note records the identity of the job, and reports whether it was not recorded
// before.
func (s *Step) Note(id ci.Identity) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.id.Subject == ""
	s.id = id
	return first
}

// IDToken requests an ID token from the CI system, and records the identity of
// the job.
func (s *Step) IDToken(ctx context.Context, job ci.Job, audience string) (string, error) {
	token, err := job.IDToken(ctx, audience)
	if err != nil {
		return "", err
	}
	s.Hide(token)
	id, err := ci.ParseIdentity(token)
	if err != nil {
		return "", err
	}
	if s.Note(id) {
		s.Said("this job is %s", id)
	}
	return token, nil
}
