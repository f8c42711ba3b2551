package doctor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/doctor"
)

func TestEnvironment(t *testing.T) {
	env := map[string]string{"HTTPS_PROXY": "http://user:hush@proxy.test:3128"}
	findings := doctor.Environment{
		Getenv: func(name string) string { return env[name] },
		Parts: []doctor.Part{
			{Area: "store", Check: "file", Look: func(context.Context) (string, error) { return "usable", nil }},
			{Area: "store", Check: "vault", Remedy: "start it", Look: func(context.Context) (string, error) { return "", errors.New("sealed") }},
			{Area: "keeper", Check: "keyring", Optional: true, Look: func(context.Context) (string, error) { return "", errors.New("no bus") }},
		},
	}.Examine(t.Context())
	want := map[string]doctor.Finding{
		"HTTP proxy": {Area: "environment", Check: "HTTP proxy", Result: doctor.Pass, Detail: "HTTPS_PROXY names proxy.test:3128"},
		"file":       {Area: "store", Check: "file", Result: doctor.Pass, Detail: "usable"},
		"vault":      {Area: "store", Check: "vault", Result: doctor.Fail, Detail: "sealed", Remedy: "start it"},
		"keyring":    {Area: "keeper", Check: "keyring", Result: doctor.Skip, Detail: "not usable here: no bus"},
	}
	for _, f := range findings {
		if w, ok := want[f.Check]; ok && f != w {
			t.Errorf("%+v, want %+v", f, w)
		}
		delete(want, f.Check)
		if strings.Contains(f.Detail, "hush") {
			t.Errorf("a password is shown: %+v", f)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing findings: %v", want)
	}
}

func TestBrokenProxy(t *testing.T) {
	findings := doctor.Environment{Getenv: func(name string) string {
		return map[string]string{"HTTPS_PROXY": "http://%zz"}[name]
	}}.Examine(t.Context())
	if doctor.Worst(findings) != doctor.Fail {
		t.Errorf("findings: %+v", findings)
	}
}
