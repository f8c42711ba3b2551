package vault_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/secrets/vault"
)

// fakeVault simulates a KV version 2 mount for tests of faults and of time, which need
// faults on demand and the clock of testing/synctest. Vault itself is tested with a
// real Vault.
type fakeVault struct {
	// fault may replace the response, or lose it after the request took effect.
	fault func(r *http.Request, serve func() *http.Response) (*http.Response, error)

	requests atomic.Int64

	mu    sync.Mutex
	paths map[string]*path
}

type path struct {
	n       int // the number of versions so far
	created time.Time
	data    json.RawMessage
	max     int
}

func (d *fakeVault) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	serve := func() *http.Response { return d.serve(r) }
	if d.fault != nil {
		return d.fault(r, serve)
	}
	return serve(), nil
}

func (d *fakeVault) serve(r *http.Request) *http.Response {
	d.requests.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	kind, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/secret/"), "/")
	p := d.paths[key]
	switch {
	case r.Method == http.MethodDelete:
		delete(d.paths, key)
		return answer(r, http.StatusNoContent, nil)
	case r.Method == http.MethodPut:
		return d.put(r, kind, key)
	case p == nil || kind == "data" && p.n == 0:
		return answer(r, http.StatusNotFound, map[string]any{"errors": []string{}})
	case kind == "data":
		return answer(r, http.StatusOK, map[string]any{"data": map[string]any{"data": p.data, "metadata": p.version()}})
	}
	return answer(r, http.StatusOK, map[string]any{"data": map[string]any{
		"current_version": p.n, "max_versions": p.max, "versions": map[string]any{fmt.Sprint(p.n): p.version()},
	}})
}

func (d *fakeVault) put(r *http.Request, kind, key string) *http.Response {
	var body struct {
		Data    json.RawMessage `json:"data"`
		Options struct{ CAS int }
		Max     int `json:"max_versions"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return answer(r, http.StatusBadRequest, map[string]any{"errors": []string{err.Error()}})
	}
	if d.paths == nil {
		d.paths = make(map[string]*path)
	}
	p := d.paths[key]
	if p == nil {
		p = &path{}
	}
	switch {
	case kind == "metadata":
		p.max = body.Max
		d.paths[key] = p
		return answer(r, http.StatusNoContent, nil)
	case body.Options.CAS != p.n:
		return answer(r, http.StatusBadRequest, map[string]any{"errors": []string{"check-and-set parameter did not match the current version"}})
	}
	p.n, p.created, p.data = p.n+1, time.Now(), body.Data
	d.paths[key] = p
	return answer(r, http.StatusOK, map[string]any{"data": p.version()})
}

func (p *path) version() map[string]any {
	return map[string]any{"version": p.n, "created_time": p.created.UTC().Format(time.RFC3339Nano), "deletion_time": ""}
}

func answer(r *http.Request, status int, body any) *http.Response {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // the test's own response
	}
	return &http.Response{
		StatusCode: status, Request: r, Body: io.NopCloser(bytes.NewReader(text)),
		Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}},
	}
}

// token must not appear in any error.
const token = "hvs.the-token-of-a-test"

// open opens a store at the fake Vault. Its client retries twice, after a short time.
func (d *fakeVault) open(t *testing.T, c vault.Config) *vault.Store {
	t.Helper()
	config := api.DefaultConfig()
	config.Address = "https://vault.example"
	config.HttpClient = &http.Client{Transport: d}
	config.MinRetryWait, config.MaxRetryWait = time.Millisecond, 2*time.Millisecond
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken(token)
	c.Client, c.Mount, c.Prefix, c.Versioned = client, "secret", "p", true
	s, err := vault.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
