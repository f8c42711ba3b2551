//go:build e2e

package e2e

import (
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/secrets/vault"
)

// BenchmarkVaultRead compares the cost of reading the same path with a process of curl,
// a process of the program that prints the token, and an open store.
func BenchmarkVaultRead(b *testing.B) {
	v := startVault(b)
	h := vaultHome(b, v.addr, v.root)
	h.loginToDemo(b)
	b.Run("token", func(b *testing.B) {
		var programTimes, curlTimes []time.Duration
		for b.Loop() {
			curlTimes = append(curlTimes, timeToRun(b, exec.Command("curl", "-sf", "-H", "X-Vault-Token: "+v.root, v.addr+"/v1/secret/data/mcp-login/box")))
			programTimes = append(programTimes, timeToRun(b, h.command(b.Context(), "token", "box")))
		}
		own, other := median(programTimes), median(curlTimes)
		b.ReportMetric(0, "ns/op") // the time of both together is meaningless
		b.ReportMetric(own.Seconds()*1000, "ms")
		b.ReportMetric(other.Seconds()*1000, "curl-ms")
		b.ReportMetric(own.Seconds()/other.Seconds(), "x-curl")
	})
	b.Run("open", func(b *testing.B) {
		s := v.store(b, vault.Config{})
		for b.Loop() {
			if _, _, err := s.Get(b.Context(), "box"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkVaultStorm measures how long it takes until the last of many processes on
// four hosts has the token that one of them refreshed.
func BenchmarkVaultStorm(b *testing.B) {
	v := startVault(b)
	o := startOIDC(b, settings{"interval": 1})
	for _, processes := range []int{10, 50, 200} {
		b.Run(strconv.Itoa(processes), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				all := newVaultHosts(b, v, o)
				b.StartTimer()
				runOnHosts(all, processes)
			}
		})
	}
}
