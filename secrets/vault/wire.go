package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/secrets"
)

// wire performs every kind of request once: it logs in when needed, and says
// what a refusal means.
type wire struct {
	client *api.Client
	login  *login
	mount  string
	prefix string
}

// read decodes the JSON answer of a path into out. An answer 404 is decoded
// too, since KV version 2 describes deleted versions there; missing says so.
// now is Vault's own clock, zero if it does not say.
func (w *wire) read(ctx context.Context, path string, out any) (now time.Time, missing bool, err error) {
	err = w.do(ctx, "read", path, func(ctx context.Context) error {
		resp, err := w.client.Logical().ReadRawWithContext(ctx, path)
		if resp == nil {
			return err
		}
		defer resp.Body.Close()
		missing = resp.StatusCode == http.StatusNotFound && !noRoute(err)
		if err != nil && !missing {
			return err
		}
		now, _ = http.ParseTime(resp.Header.Get("Date")) // zero: not said
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			return fmt.Errorf("%w: answer: %w", errAnswer, err)
		}
		return nil
	})
	return now, missing, err
}

// write sends a body and returns the data of the answer.
func (w *wire) write(ctx context.Context, path string, body map[string]any) (map[string]any, error) {
	var data map[string]any
	err := w.do(ctx, "write", path, func(ctx context.Context) error {
		secret, err := w.client.Logical().WriteWithContext(ctx, path, body)
		if secret != nil {
			data = secret.Data
		}
		return err
	})
	return data, err
}

func (w *wire) delete(ctx context.Context, path string) error {
	return w.do(ctx, "delete", path, func(ctx context.Context) error {
		_, err := w.client.Logical().DeleteWithContext(ctx, path)
		return err
	})
}

func (w *wire) list(ctx context.Context, path string) ([]string, error) {
	var keys []string
	err := w.do(ctx, "list", path+"/", func(ctx context.Context) error {
		secret, err := w.client.Logical().ListWithContext(ctx, path)
		if err != nil || secret == nil {
			return err
		}
		found, _ := secret.Data["keys"].([]any)
		for _, key := range found {
			if key, ok := key.(string); ok {
				keys = append(keys, key)
			}
		}
		return nil
	})
	return keys, err
}

// do runs one request with a valid token, a second time with a new one if
// Vault no longer takes the first.
func (w *wire) do(ctx context.Context, verb, path string, send func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx) // frees the client's own timers
	defer cancel()
	used, err := w.login.ensure(ctx)
	if err != nil {
		return w.explain(ctx, "authenticate", "", err)
	}
	err = send(ctx)
	if status(err) == http.StatusForbidden && w.login.again(ctx, used) {
		err = send(ctx)
	}
	return w.explain(ctx, verb, path, err)
}

// onceKey marks the context of a request that must not be sent again blindly.
type onceKey struct{}

func once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

// retryUnlessOnce is the client's own choice of what to try again, but for
// requests that are marked.
func retryUnlessOnce(c *api.Client) {
	otherwise := c.CheckRetry()
	if otherwise == nil {
		otherwise = api.DefaultRetryPolicy
	}
	c.SetCheckRetry(func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if ctx.Value(onceKey{}) != nil {
			return false, err
		}
		return otherwise(ctx, resp, err)
	})
}

// VersionError means that a mount is KV version 1. It has no check-and-set, without
// which two hosts overwrite each other's refresh tokens. It wraps
// secrets.ErrUnavailable.
type VersionError struct{ Mount string }

// Error names the mount.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%v: vault's mount %s/ is KV version 1, which has no check-and-set", secrets.ErrUnavailable, e.Mount)
}

// Unwrap returns secrets.ErrUnavailable.
func (e *VersionError) Unwrap() error { return secrets.ErrUnavailable }

// checkVersion returns nil if the mount is KV version 2. Any token that may do
// something in the mount may ask.
func (w *wire) checkVersion(ctx context.Context) error {
	var answer struct {
		Data struct {
			Type    string            `json:"type"`
			Path    string            `json:"path"`
			Options map[string]string `json:"options"`
		} `json:"data"`
	}
	_, _, err := w.read(ctx, "sys/internal/ui/mounts/"+w.mount, &answer)
	mount := answer.Data
	switch {
	case status(err) == http.StatusForbidden && !errors.Is(err, errEnded):
		return fmt.Errorf("%w: vault has no mount %s/, or the token has no access to it", secrets.ErrUnavailable, w.mount)
	case err != nil:
		return err
	case mount.Path != w.mount+"/":
		return fmt.Errorf("%w: vault has no mount %s/, but one at %s", secrets.ErrUnavailable, w.mount, mount.Path)
	case mount.Type != "kv" && mount.Type != "generic":
		return fmt.Errorf("%w: vault's mount %s/ is of type %s, not kv", secrets.ErrUnavailable, w.mount, mount.Type)
	case mount.Options["version"] != "2":
		return &VersionError{Mount: w.mount}
	}
	return nil
}
