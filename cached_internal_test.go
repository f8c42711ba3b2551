package mcplogin

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// TestCachedIsFreshAsStored: a cached credential is fresh exactly when the stored
// one is.
func TestCachedIsFreshAsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		times := []time.Time{{}}
		for _, d := range []time.Duration{-time.Hour, -maxSkew, 0, 1, 15 * time.Second, time.Minute, time.Minute + 1, maxSkew, maxSkew + 1, time.Hour} {
			times = append(times, now.Add(d))
		}
		fresh := 0
		for _, expiry := range times {
			for _, issued := range times {
				for _, rejected := range []string{"", "refused"} {
					for _, access := range []string{"", "token"} {
						c := Credential{LoggedInAt: issued, Refused: rejected, Token: oauth.Token{Access: access, Expiry: expiry}}
						want := c.freshFor(time.Minute)
						if newCached(c, time.Minute).fresh(now) != want {
							t.Errorf("expires %v, issued %v, rejected %q, access %q: want %v", expiry.Sub(now), issued.Sub(now), rejected, access, want)
						}
						if want {
							fresh++
						}
					}
				}
			}
		}
		if fresh == 0 {
			t.Error("no credential was fresh")
		}
	})
}
