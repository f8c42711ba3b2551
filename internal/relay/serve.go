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
	drainTimeout  = 15 * time.Second
	settleTimeout = 5 * time.Second
	settlePause   = 50 * time.Millisecond
)

// Serve answers on the listener until ctx ends, then drains: it ends every long poll
// so that clients retry, closes its port after clients have received the responses
// in its memory, and returns when all responses have been sent.
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
	l = &connections{Listener: l, relay: r}
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
		go func() { _, _ = config.GetCertificate(warmUp(r.base.Hostname())) }() // it logs failures and ends by itself
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	r.Drain()
	r.settle()
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err = server.Shutdown(within)
	if serveErr := <-ended; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// settle waits until clients have received the responses in memory, so that users
// need not approve again.
func (r *Relay) settle() {
	own, ok := r.cfg.Sessions.(interface{ Uncollected() int })
	if !ok {
		return
	}
	for late := time.Now().Add(settleTimeout); own.Uncollected() > 0 && time.Now().Before(late); {
		time.Sleep(settlePause)
	}
}
