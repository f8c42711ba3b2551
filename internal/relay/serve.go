package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/crypto/acme/autocert"
)

const (
	headerTimeout = 10 * time.Second
	writeTimeout  = hold + 20*time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10 // a redirect with a long code, and cookies
	drainTimeout  = 20 * time.Second
)

// Certificates say how the relay speaks TLS. The zero value is plain http, for
// loopback or behind a proxy.
type Certificates struct {
	CertFile, KeyFile string // PEM; read again for new connections, so that renewal needs no restart
	ACMECache         string // folder of certificates by ACME (Let's Encrypt); "": none
	ACMEEmail         string // for notices of the certificate authority; "": none
}

// Serve answers on the listener until ctx ends, then drains: it closes its
// port, lets every waiting client ask again, and returns once all answers
// have left.
func (r *Relay) Serve(ctx context.Context, l net.Listener, c Certificates) error {
	server := &http.Server{
		Handler: r, ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout + hold, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       log.New(io.Discard, "", 0), // it would print addresses of clients
	}
	config, err := r.tlsConfig(c)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		if config == nil {
			ended <- server.Serve(l)
			return
		}
		server.TLSConfig = config
		ended <- server.ServeTLS(l, "", "")
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	r.Drain()
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err = server.Shutdown(within)
	if serveErr := <-ended; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// tlsConfig returns nil for plain http.
func (r *Relay) tlsConfig(c Certificates) (*tls.Config, error) {
	switch {
	case c.ACMECache != "":
		m := &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(c.ACMECache), Email: c.ACMEEmail,
			HostPolicy: autocert.HostWhitelist(r.base.Hostname()),
		}
		config := m.TLSConfig() // answers TLS-ALPN-01 on the same port
		config.MinVersion = tls.VersionTLS12
		return config, nil
	case c.CertFile != "":
		if _, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile); err != nil {
			return nil, err
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
				return &pair, err
			}}, nil
	}
	return nil, nil
}
