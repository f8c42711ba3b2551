package relay

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	writeTimeout  = hold + 20*time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10 // a redirect with a long code, and cookies
	drainTimeout  = 20 * time.Second
)

// Serve answers on the listener until ctx ends, then drains: it closes its
// port, lets every waiting client ask again, and returns once all answers
// have left.
func (r *Relay) Serve(ctx context.Context, l net.Listener, c Certificates) error {
	server := &http.Server{
		Handler: r, ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout + hold, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       log.New(io.Discard, "", 0), // it would print addresses of clients
	}
	config, err := c.config(r.base.Hostname(), r.cfg.Log)
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
	if c.ACMECache != "" {
		go func() { _, _ = config.GetCertificate(warmUp(r.base.Hostname())) }() // it logs its failure, and ends by itself
	}
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
