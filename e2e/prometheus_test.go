//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

// TestPrometheus: a real Prometheus server scrapes the agent with the configuration in
// docs/agent.md.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	d := newDemoHome(t, 2, time.Hour)
	r := d.startAgent("--metrics-listen", "127.0.0.1:0")
	pattern := regexp.MustCompile(`metrics: http://(127\.0\.0\.1:\d+)/metrics`)
	target := pattern.FindStringSubmatch(r.stderr.await(t, pattern))[1]

	dir := t.TempDir()
	config := "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: mcp-login\n    static_configs:\n      - targets: [\"" + target + "\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0")
	cmd.Dir, cmd.Stderr = dir, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // it runs until the test ends
		_ = cmd.Wait()
	}()

	listening := regexp.MustCompile(`address=(127\.0\.0\.1:[1-9]\d*)`)
	var web string
	if !await.Until(func() bool {
		text, _ := os.ReadFile(log.Name())
		if m := listening.FindSubmatch(text); m != nil {
			web = string(m[1])
		}
		return web != ""
	}) {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("Prometheus does not listen:\n%s", text)
	}
	for query, want := range map[string]string{`up`: "1", `mcp_login_agent_profiles{state="fresh"}`: "2"} {
		var got string
		if !await.Until(func() bool { got = prometheusValue(web, query); return got == want }) {
			t.Errorf("%s is %q, want %s", query, got, want)
		}
	}
	r.stop()
}

// prometheusValue returns the value of the only result of a query, or "" if it has no
// result yet.
func prometheusValue(web, query string) string {
	resp, err := http.Get("http://" + web + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var response struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if json.NewDecoder(resp.Body).Decode(&response) != nil || len(response.Data.Result) != 1 {
		return ""
	}
	return fmt.Sprint(response.Data.Result[0].Value[1])
}
