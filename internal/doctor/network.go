package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	// expirySoon is how long a certificate should still be valid.
	expirySoon = 14 * 24 * time.Hour
	// clockSkew is how far this machine's clock may be from a server's.
	clockSkew = time.Minute
)

// network judges the way to every host that was asked.
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
			detail, remedy := explain(u.Host, x.err)
			a.fail("reach "+u.Host, detail, "", remedy)
			continue
		}
		a.pass("reach "+u.Host, connection(x.resp))
		a.certificate(u.Host, x.resp.TLS)
		a.clock(u.Host, x.resp.Header)
	}
	return a.findings
}

// connection says how a host was reached.
func connection(resp *http.Response) string {
	if resp.TLS == nil {
		return "without TLS, which is accepted on loopback only"
	}
	return tls.VersionName(resp.TLS.Version)
}

// certificate warns of one that ends soon.
func (a *area) certificate(host string, state *tls.ConnectionState) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return
	}
	end := state.PeerCertificates[0].NotAfter
	if left := time.Until(end); left < expirySoon {
		a.warn("certificate of "+host, fmt.Sprintf("expires in %d hours, at %s", int(left.Hours()), end.UTC().Format(time.RFC3339)), "",
			"the server's operator must renew it")
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
	a.warn("clock", fmt.Sprintf("this machine's clock is %s %s that of %s, so that tokens seem to expire at another time", off.Abs(), direction, host), "",
		"set the clock, for example with timedatectl set-ntp true")
}

// explain translates a fault of the network.
func explain(host string, err error) (detail, remedy string) {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "cannot reach the HTTP proxy: " + cause(op.Err), "check HTTPS_PROXY and NO_PROXY"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "no such host name: " + host, "check the spelling of the URL"
		}
		return "the name service did not answer for " + host, "check the network and /etc/resolv.conf"
	}
	if detail, remedy := explainTLS(err); detail != "" {
		return detail, remedy
	}
	if _, ok := errors.AsType[*oauth.AddressError](err); ok {
		return oauth.Sanitize(err.Error(), 300), "only an MCP server with a private address may name others with private addresses"
	}
	return cause(err), "check that the server runs, and a firewall between"
}

// explainTLS translates a fault of TLS; "" if it is none.
func explainTLS(err error) (detail, remedy string) {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority that this machine does not trust", "if it is your company's, name its file: --ca-cert FILE"
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for other names: " + oauth.Sanitize(strings.Join(name.Certificate.DNSNames, ", "), 200), "check the URL, or the server's operator must fix it"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "its certificate has expired, or this machine's clock is wrong", "check the clock; else the server's operator must renew it"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS at this port", "check the port of the URL"
	}
	return "", ""
}

// cause is the innermost reason in the user's terms.
func cause(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset by the other side"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to the host"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "no answer in time"
	}
	return cmp.Or(oauth.Sanitize(err.Error(), 300), "unknown fault")
}
