package relay

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Certificates configure the relay's TLS. The zero value is plain http, for
// loopback or behind a proxy.
type Certificates struct {
	CertFile, KeyFile string       // PEM; reread for new connections, so that renewal needs no restart
	ACMECache         string       // folder of certificates by ACME; "": none
	ACMEEmail         string       // for notices of the certificate authority; "": none
	ACMEDirectory     string       // of the certificate authority; "": Let's Encrypt
	ACMEClient        *http.Client // for requests to the certificate authority; nil: http.DefaultClient
}

// config returns nil for plain http.
func (c Certificates) config(host string, log *slog.Logger) (*tls.Config, error) {
	switch {
	case c.ACMECache != "":
		return c.acme(host, log)
	case c.CertFile != "":
		if _, err := c.load(nil); err != nil {
			return nil, err
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: c.load}, nil
	}
	return nil, nil
}

func (c Certificates) load(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	return &pair, err
}

// acme answers TLS-ALPN-01 challenges on the port of the relay itself (RFC 8737).
// It logs failures, because browsers show only a failed connection.
func (c Certificates) acme(host string, log *slog.Logger) (*tls.Config, error) {
	if net.ParseIP(host) != nil || !strings.Contains(host, ".") {
		return nil, errors.New("ACME issues certificates only for public host names; use one in the base URL, or use certificate files")
	}
	m := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(c.ACMECache), Email: c.ACMEEmail,
		HostPolicy: autocert.HostWhitelist(host),
		Client:     &acme.Client{DirectoryURL: c.ACMEDirectory, HTTPClient: c.ACMEClient},
	}
	config := m.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		got, err := m.GetCertificate(hello)
		if err != nil && strings.EqualFold(hello.ServerName, host) { // other names come from scanners
			log.Warn("no certificate", "error", err)
		}
		return got, err
	}
	return config, nil
}

// warmUp returns a ClientHello to request the certificate before the first
// browser connects.
func warmUp(host string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}
