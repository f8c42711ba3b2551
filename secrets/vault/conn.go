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

// conn sends requests to Vault: it logs in when needed and explains errors.
type conn struct {
	client *api.Client
	login  *login
	mount  string
	prefix string
}

// read decodes the JSON response for a path into out. It decodes a 404 too and
// sets missing, because KV version 2 describes deleted versions there. now is
// the time by Vault's clock; zero if unknown.
func (w *conn) read(ctx context.Context, path string, out any) (now time.Time, missing bool, err error) {
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
		now, _ = http.ParseTime(resp.Header.Get("Date")) // zero if missing
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			return fmt.Errorf("%w: answer: %w", errResponse, err)
		}
		return nil
	})
	return now, missing, err
}

// write sends a body and returns the data of the response.
func (w *conn) write(ctx context.Context, path string, body map[string]any) (map[string]any, error) {
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

func (w *conn) delete(ctx context.Context, path string) error {
	return w.do(ctx, "delete", path, func(ctx context.Context) error {
		_, err := w.client.Logical().DeleteWithContext(ctx, path)
		return err
	})
}

func (w *conn) list(ctx context.Context, path string) ([]string, error) {
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

// do sends one request with a valid token, and retries it with a new one if
// Vault rejects the first.
func (w *conn) do(ctx context.Context, verb, path string, send func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx) // stops the client's timers
	defer cancel()
	used, err := w.login.ensure(ctx)
	if err != nil {
		return w.explain(ctx, "authenticate", "", err)
	}
	err = send(ctx)
	if status(err) == http.StatusForbidden && w.login.relogin(ctx, used) {
		err = send(ctx)
	}
	return w.explain(ctx, verb, path, err)
}

// noRetryKey marks the context of a request that the client must not retry.
type noRetryKey struct{}

func withoutRetry(ctx context.Context) context.Context {
	return context.WithValue(ctx, noRetryKey{}, true)
}

// setRetryPolicy keeps the client's retry policy, except for requests marked by
// withoutRetry.
func setRetryPolicy(c *api.Client) {
	otherwise := c.CheckRetry()
	if otherwise == nil {
		otherwise = api.DefaultRetryPolicy
	}
	c.SetCheckRetry(func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if ctx.Value(noRetryKey{}) != nil {
			return false, err
		}
		return otherwise(ctx, resp, err)
	})
}

// VersionError means that a mount is KV version 1, which has no check-and-set: two
// hosts could overwrite each other's refresh tokens. It wraps
// secrets.ErrUnavailable.
type VersionError struct{ Mount string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("%v: vault's mount %s/ is KV version 1, which has no check-and-set", secrets.ErrUnavailable, e.Mount)
}

// Unwrap returns secrets.ErrUnavailable.
func (e *VersionError) Unwrap() error { return secrets.ErrUnavailable }

// checkVersion returns an error unless the mount is KV version 2. Any token
// with some access to the mount can check.
func (w *conn) checkVersion(ctx context.Context) error {
	var response struct {
		Data struct {
			Type    string            `json:"type"`
			Path    string            `json:"path"`
			Options map[string]string `json:"options"`
		} `json:"data"`
	}
	_, _, err := w.read(ctx, "sys/internal/ui/mounts/"+w.mount, &response)
	mount := response.Data
	switch {
	case status(err) == http.StatusForbidden && !errors.Is(err, errTokenExpired):
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
