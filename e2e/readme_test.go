//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestReadmeRuns runs every line of README.md that a shell or a CI job runs, unchanged
// and in one session, against a fake of its host. The lines that need Vault use a file
// store.
func TestReadmeRuns(t *testing.T) {
	h := newHome(t)
	proxy, ca := startInterceptingProxy(t, "mcp.notion.com", &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}})
	caFile := filepath.Join(h.dir, "ca.pem")
	if err := os.WriteFile(caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	h.env = append(h.env, "HTTPS_PROXY="+proxy, "MCP_LOGIN_CA_CERT="+caFile, "CURL_CA_BUNDLE="+caFile)
	if err := os.WriteFile(filepath.Join(h.dir, "agent"), []byte("#!/bin/sh\ntest -n \"$MCP_NOTION_AUTHORIZATION\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	lines := readmeLines(t)
	if len(lines) < 12 {
		t.Fatalf("only %d lines to run: %q", len(lines), lines)
	}
	script := filepath.Join(h.dir, "script")
	text := "set -euo pipefail\n" + strings.Join(lines, "\necho \"ran line $LINENO\"\n") + "\necho done\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", script)
	cmd.Env, cmd.Dir = h.env, h.dir
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "done\n") {
		t.Errorf("%v\n%s\nof\n%s", err, out, text)
	}
}

// readmeLines returns the lines of README.md to run, in order.
func readmeLines(t *testing.T) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```(sh|yaml)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[2]) {
			line = strings.TrimRight(line, "\n")
			if block[1] == "yaml" {
				run, ok := strings.CutPrefix(line, "- run: ")
				if !ok {
					continue
				}
				line = run
			}
			lines = append(lines, line)
			if strings.Contains(line, " logout ") { // the next job signs in again
				lines = append(lines, lines[0])
			}
		}
	}
	return lines
}

// startInterceptingProxy starts an HTTPS proxy that connects one host to site, with a
// certificate of the authority that it returns.
func startInterceptingProxy(t *testing.T, host string, site http.Handler) (proxy string, ca []byte) {
	t.Helper()
	cert, ca := certificate(t, host)
	server := httptest.NewUnstartedServer(site)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	tunnel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != host+":443" {
			http.Error(w, "no such host", http.StatusBadGateway)
			return
		}
		upstream, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		fmt.Fprint(client, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { defer upstream.Close(); io.Copy(upstream, client) }()
		go func() { defer client.Close(); io.Copy(client, upstream) }()
	}))
	t.Cleanup(tunnel.Close)
	return tunnel.URL, ca
}

// certificate returns a self-signed certificate for a host.
func certificate(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, &about, &about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
