package signin_test

import (
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/oauth"
)

func TestExpectedIdentity(t *testing.T) {
	const jwt = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2FzIiwic3ViIjoiYW5uIn0.c2ln" // ann of https://as
	accept := func(subject string, c mcplogin.Credential, job ci.Identity) error {
		return signin.ExpectSubject(signin.Identity(c, job), subject)
	}
	for _, tt := range []struct {
		issuer, subject string
		accept          bool
	}{
		{"", "", true},
		{"https://as", "ann", true},
		{"https://as", "bob", false},
		{"https://other", "", false},
	} {
		err := signin.ExpectIssuer(tt.issuer)(oauth.Server{Issuer: "https://as"})
		if err == nil {
			err = accept(tt.subject, mcplogin.Credential{Token: oauth.Token{Access: "opaque", ID: jwt}}, ci.Identity{})
		}
		if (err == nil) != tt.accept {
			t.Errorf("%+v accepts with %v, want %t", tt, err, tt.accept)
		}
		if code, _ := (remedy.Call{}).For(err); err != nil && code != exit.Denied {
			t.Errorf("exit code %d, want %d", code, exit.Denied)
		}
	}
	opaque := mcplogin.Credential{Issuer: oauth.Server{Issuer: "https://as"}, Token: oauth.Token{Access: "opaque"}}
	if err := accept("", opaque, ci.Identity{}); err != nil {
		t.Errorf("a demand for only the authorization server is not accepted: %v", err)
	}
	if err := accept("ann", opaque, ci.Identity{}); err == nil {
		t.Error("a subject without an ID token is accepted")
	}
	job := ci.Identity{Issuer: "https://ci", Subject: "ann"}
	if err := accept("ann", opaque, job); err == nil {
		t.Error("a job without an ID token is accepted")
	}
	opaque.Flow = "ci"
	if err := accept("ann", opaque, job); err != nil {
		t.Errorf("the job with an ID token is not accepted: %v", err)
	}
}
