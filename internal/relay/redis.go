package relay

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/mcp-login/mcp-login/internal/netfault"
)

const (
	redisPrefix  = "mcp-login-relay:"
	redisTimeout = 5 * time.Second
	redisIdle    = 2 * time.Minute
	redisConns   = 64
	redisRetries = 20 // of a change that conflicts with others
	redisPause   = time.Second
	// MinKey is the minimum length of the shared key, in bytes.
	MinKey = 32
)

// Redis keeps sessions in Redis or Valkey, for several replicas. Values are
// encrypted with a key that the replicas share, and keys are keyed hashes: anyone
// who can read the database learns only the number of sign-ins.
type Redis struct {
	pool     *redis.Pool
	seal     cipher.AEAD
	mac      []byte
	watchers watchers

	stop context.CancelFunc
	done sync.WaitGroup
}

var _ Sessions = (*Redis)(nil)

// RedisOptions are the options of a Redis store. URL and Key are required.
type RedisOptions struct {
	URL   string         // redis:// or rediss://
	Key   []byte         // shared by the replicas, at least MinKey bytes
	Roots *x509.CertPool // certificates to trust at rediss://; nil means the system's
	Log   *slog.Logger   // logs why the database cannot be reached; nil means none
}

// OpenRedis opens a Redis store. It connects in the background. The caller must
// close it.
func OpenRedis(o RedisOptions) (*Redis, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Host == "" {
		return nil, errors.New("sessions: the URL must begin with redis:// or rediss:// and have a host")
	}
	if len(o.Key) < MinKey {
		return nil, fmt.Errorf("sessions: the shared key must be at least %d bytes long", MinKey)
	}
	seal, err := chacha20poly1305.NewX(derive(o.Key, "values"))
	if err != nil {
		return nil, err
	}
	log := cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	dial := func(ctx context.Context, read time.Duration) (redis.Conn, error) {
		return redis.DialURLContext(ctx, o.URL, redis.DialConnectTimeout(redisTimeout),
			redis.DialReadTimeout(read), redis.DialWriteTimeout(redisTimeout),
			redis.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots}))
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Redis{seal: seal, mac: derive(o.Key, "names"), stop: stop, pool: &redis.Pool{
		MaxIdle: redisConns, MaxActive: redisConns, Wait: true, IdleTimeout: redisIdle,
		DialContext: func(ctx context.Context) (redis.Conn, error) { return dial(ctx, redisTimeout) },
	}}
	r.done.Go(func() { r.listen(ctx, dial, outage{host: u.Host, log: log}) })
	return r, nil
}

// Close ends the subscription and the connections.
func (r *Redis) Close() error {
	r.stop()
	r.done.Wait()
	return r.pool.Close()
}

// derive derives a key for one purpose.
func derive(key []byte, purpose string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("mcp-login relay " + purpose))
	return m.Sum(nil)
}

// name returns the Redis key of a session.
func (r *Redis) name(k string) string {
	m := hmac.New(sha256.New, r.mac)
	m.Write([]byte(k))
	return redisPrefix + hex.EncodeToString(m.Sum(nil))
}

// channel returns the pub/sub channel for changes.
const channel = redisPrefix + "changed"

// encode encrypts a value for a name. A value that is moved to another name
// cannot be decrypted.
func (r *Redis) encode(name string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, r.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return r.seal.Seal(nonce, nonce, plain, []byte(name)), nil
}

func (r *Redis) decode(name string, sealed []byte, v any) error {
	n := r.seal.NonceSize()
	if len(sealed) < n {
		return errors.New("sessions: a value is too short")
	}
	plain, err := r.seal.Open(nil, sealed[:n], sealed[n:], []byte(name))
	if err != nil {
		return errors.New("sessions: a value cannot be decrypted: the replicas must share one key")
	}
	return json.Unmarshal(plain, v)
}

// addScript stores a session under its three keys atomically.
var addScript = sync.OnceValue(func() *redis.Script {
	return redis.NewScript(3, `
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3]) > 0 then return 0 end
for i = 1, 3 do redis.call('SET', KEYS[i], ARGV[i], 'PX', ARGV[4]) end
return 1`)
})

// Add implements [Sessions].
func (r *Redis) Add(ctx context.Context, s Session) error {
	args := make([]any, 0, 7)
	var values []any
	for i, k := range s.keys() {
		name := r.name(k.String())
		var v any = s.ID
		if i == 0 {
			v = s
		}
		sealed, err := r.encode(name, v)
		if err != nil {
			return err
		}
		args, values = append(args, name), append(values, sealed)
	}
	args = append(append(args, values...), max(1, time.Until(s.Expiry).Milliseconds()))
	added, err := redis.Int(r.run(ctx, addScript(), args...))
	if err == nil && added == 0 {
		return errTaken
	}
	return full(err)
}

// full returns ErrFull if the database has no memory left.
func full(err error) error {
	if e, ok := errors.AsType[redis.Error](err); ok && len(e) > 3 && e[:3] == "OOM" {
		return ErrFull
	}
	return err
}

func (r *Redis) run(ctx context.Context, s *redis.Script, args ...any) (any, error) {
	c, err := r.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close() // back to the pool
	return s.DoContext(ctx, c, args...)
}

// get returns the value of a key, sealed and open.
func (r *Redis) get(ctx context.Context, key string, v any) (sealed []byte, err error) {
	c, err := r.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close() // back to the pool
	name := r.name(key)
	sealed, err = redis.Bytes(redis.DoContext(c, ctx, "GET", name))
	if errors.Is(err, redis.ErrNil) {
		return nil, ErrEnded
	}
	if err != nil {
		return nil, err
	}
	return sealed, r.decode(name, sealed, v)
}

// Find implements [Sessions].
func (r *Redis) Find(ctx context.Context, key Key) (s Session, err error) {
	if key.ID == "" {
		if _, err := r.get(ctx, key.String(), &key.ID); err != nil {
			return s, err
		}
	}
	_, err = r.get(ctx, Key{ID: key.ID}.String(), &s)
	return s, err
}

// changeScript replaces a value unless another process has changed it.
var changeScript = sync.OnceValue(func() *redis.Script {
	return redis.NewScript(1, `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`)
})

// Change implements [Sessions].
func (r *Redis) Change(ctx context.Context, id string, change func(*Session) error) (Session, error) {
	key := Key{ID: id}.String()
	name := r.name(key)
	for range redisRetries {
		var s Session
		old, err := r.get(ctx, key, &s)
		if err != nil {
			return s, err
		}
		changed := s
		if err := change(&changed); err != nil {
			return s, err
		}
		sealed, err := r.encode(name, changed)
		if err != nil {
			return s, err
		}
		done, err := redis.Int(r.run(ctx, changeScript(), name, old, sealed, channel, name))
		if err != nil {
			return s, full(err)
		}
		if done == 1 {
			return changed, nil
		}
	}
	return Session{}, errors.New("sessions: the session changes too often")
}

// Watch implements [Sessions].
func (r *Redis) Watch(id string) (<-chan struct{}, func()) {
	return r.watchers.add(r.name(Key{ID: id}.String()))
}

// Ping implements [Sessions].
func (r *Redis) Ping(ctx context.Context) error {
	c, err := r.pool.GetContext(ctx)
	if err != nil {
		return err
	}
	defer c.Close() // back to the pool
	_, err = redis.DoContext(c, ctx, "PING")
	return err
}

// listen notifies long polls of changes, by one subscription. While the
// database is unreachable, they reread their sessions.
func (r *Redis) listen(ctx context.Context, dial func(context.Context, time.Duration) (redis.Conn, error), down outage) {
	for ctx.Err() == nil {
		c, err := dial(ctx, 0)
		if down.note(err); err == nil {
			r.receive(ctx, c)
		}
		select {
		case <-ctx.Done():
		case <-time.After(redisPause):
		}
	}
}

// outage logs when the database becomes unreachable and reachable again.
type outage struct {
	host string
	log  *slog.Logger
	down bool
}

func (o *outage) note(err error) {
	switch {
	case err != nil && !o.down:
		detail, remedy := netfault.Explain(o.host, err)
		o.log.Warn("cannot reach the database of the sessions", "address", o.host, "error", cmp.Or(detail, err.Error()), "hint", remedy)
	case err == nil && o.down:
		o.log.Info("the database of the sessions can be reached again", "address", o.host)
	}
	o.down = err != nil
}

// receive forwards notifications until the connection fails or ctx ends.
func (r *Redis) receive(ctx context.Context, c redis.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // it ends Receive
	defer func() {
		if stop() {
			_ = c.Close() // nothing was written that could be lost
		}
	}()
	sub := redis.PubSubConn{Conn: c}
	if sub.Subscribe(channel) != nil {
		return
	}
	for {
		switch m := sub.Receive().(type) {
		case redis.Message:
			r.watchers.wake(string(m.Data))
		case error:
			return
		}
	}
}
