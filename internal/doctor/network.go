package doctor

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	// expirySoon is the minimum remaining validity of a certificate.
	expirySoon = 14 * 24 * time.Hour
	// clockSkew is the maximum difference between this machine's clock and a server's.
	clockSkew = time.Minute
)

// network checks the connections to all hosts.
func (s Server) network(seen *recorder) []Finding {
	a := &area{name: "network"}
	judged := map[string]bool{}
	for _, x := range seen.of(func(string) bool { return true }) {
		u, err := url.Parse(x.url)
		if err != nil || judged[u.Host] {
			continue
		}
		judged[u.Host] = true
		if x.resp == nil {
			detail, remedy := netfault.Explain(u.Host, x.err)
			detail = cmp.Or(detail, oauth.Sanitize(x.err.Error(), 300))
			a.fail("reach "+u.Host, detail, "", remedy)
			continue
		}
		a.pass("reach "+u.Host, connection(x.resp))
		a.certificate(u.Host, x.resp.TLS)
		a.clock(u.Host, x.resp.Header)
	}
	return a.findings
}

// connection reports how a host was reached.
func connection(resp *http.Response) string {
	if resp.TLS == nil {
		return "without TLS, which is accepted on loopback only"
	}
	return tls.VersionName(resp.TLS.Version)
}

// certificate warns of a certificate that expires soon.
func (a *area) certificate(host string, state *tls.ConnectionState) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return
	}
	end := state.PeerCertificates[0].NotAfter
	if left := time.Until(end); left < expirySoon {
		a.warn("certificate of "+host, fmt.Sprintf("expires in %s, at %s", printable.Count(int(left.Hours()), "hour"), end.UTC().Format(time.RFC3339)), "",
			"ask the server's operator to renew it")
	}
}

// clock compares this machine's clock with the server's (RFC 9110 §6.6.1).
// Expiry times are counted by this machine's.
func (a *area) clock(host string, h http.Header) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return // not required
	}
	off := time.Since(date).Round(time.Second)
	if off.Abs() <= clockSkew {
		return
	}
	direction := "ahead of"
	if off < 0 {
		direction = "behind"
	}
	a.warn("clock", fmt.Sprintf("this machine's clock is %s %s the clock of %s, so tokens expire at the wrong time", printable.Duration(off.Abs()), direction, host), "",
		"set the clock, for example with timedatectl set-ntp true")
}
