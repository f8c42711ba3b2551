package vault_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

// editedResponses changes the responses to reads of one kind of path.
func editedResponses(kind string, edit func(data map[string]any)) func(*http.Request, func() *http.Response) (*http.Response, error) {
	return func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
		resp := serve()
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/"+kind+"/") || resp.StatusCode != http.StatusOK {
			return resp, nil
		}
		var body map[string]map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
			return nil, err
		}
		edit(body["data"])
		text, err := json.Marshal(body)
		resp.Body = io.NopCloser(strings.NewReader(string(text)))
		return resp, err
	}
}

// TestInvalidResponses: with any invalid responses, a change of a record ends after a
// reasonable number of requests.
func TestInvalidResponses(t *testing.T) {
	for name, fault := range map[string]func(*http.Request, func() *http.Response) (*http.Response, error){
		"no versions":       editedResponses("metadata", func(data map[string]any) { delete(data, "versions") }),
		"empty versions":    editedResponses("metadata", func(data map[string]any) { data["versions"] = map[string]any{} }),
		"other times":       editedResponses("metadata", func(data map[string]any) { data["versions"] = map[string]any{"1": map[string]any{"created_time": "x"}} }),
		"another version":   editedResponses("metadata", func(data map[string]any) { data["current_version"] = 7 }),
		"no version at all": editedResponses("metadata", func(data map[string]any) { delete(data, "current_version") }),
		"a version of 0":    editedResponses("data", func(data map[string]any) { data["metadata"] = map[string]any{"version": 0} }),
		"a later version":   editedResponses("data", func(data map[string]any) { data["metadata"] = map[string]any{"version": 9, "created_time": "x"} }),
		"each write is a conflict": func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
			if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/data/") {
				return answer(r, http.StatusBadRequest, map[string]any{"errors": []string{"check-and-set parameter did not match the current version"}}), nil
			}
			return serve(), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &fakeVault{}
				s := d.open(t, vault.Config{})
				if _, err := s.Put(t.Context(), "a", []byte("one"), secrets.Absent); err != nil {
					t.Fatal(err)
				}
				d.fault = fault
				for method, call := range map[string]func() error{
					"Put":    func() error { _, err := s.Put(t.Context(), "a", []byte("two"), secrets.Any); return err },
					"Probe":  func() error { return s.Probe(t.Context()) },
					"Delete": func() error { return s.Delete(t.Context(), "a", secrets.Any) },
				} {
					before, start := d.requests.Load(), time.Now()
					err := call()
					if err != nil && !errors.Is(err, secrets.ErrUnavailable) && !errors.Is(err, secrets.ErrTemporary) && !errors.Is(err, secrets.ErrConflict) {
						t.Errorf("%s = %v", method, err)
					}
					if n, took := d.requests.Load()-before, time.Since(start); n > 2000 || took > 2*time.Minute {
						t.Errorf("%s sent %d requests in %s: %v", method, n, took, err)
					}
				}
			})
		})
	}
}

func TestLeaseNamesItsHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeVault{}
		unlock, err := d.open(t, vault.Config{Holder: "build-7, process 42"}).Lock(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, unlock)
		var notices []string
		ctx := secrets.WithNotice(t.Context(), func(text string) { notices = append(notices, text) })
		unlock2, err := d.open(t, vault.Config{}).Lock(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		unlock2()
		if len(notices) != 1 || notices[0] != `waiting for build-7, process 42, which has locked record "a"` {
			t.Errorf("reported %q", notices)
		}
	})
}
