// Command zitadeldev is a test server: the example server of the zitadel/oidc
// library, with an MCP server. It listens on 127.0.0.1, prints its URL when it is
// ready, and exits when its standard input is closed.
//
// It does not support dynamic client registration. It has two clients: mcp-login,
// without a secret, for browsers, and mcp-login-device with the secret "secret".
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	go func() { log.Fatal(http.Serve(l, handler(base))) }()
	fmt.Println(base)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func handler(base string) http.Handler {
	storage.RegisterClients(
		storage.NativeClient("mcp-login", "http://127.0.0.1/callback"),
		storage.DeviceClient("mcp-login-device", "secret"),
	)
	store := deviceStorage{storage.NewStorage(storage.NewUserStore(base))}
	silent := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.Handle("/", exampleop.SetupServer(base, store, silent, false))
	mux.HandleFunc("/.well-known/oauth-protected-resource/mcp", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"resource": base + "/mcp", "authorization_servers": []string{base}, "scopes_supported": []string{"openid", "profile"}})
	})
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) { serveMCP(w, r, base) })
	return mux
}

// deviceStorage fixes the example, which stores the user's name where tokens need
// the user's ID.
type deviceStorage struct{ *storage.Storage }

func (s deviceStorage) CompleteDeviceAuthorization(ctx context.Context, userCode, _ string) error {
	return s.Storage.CompleteDeviceAuthorization(ctx, userCode, "id1")
}

var _ op.DeviceAuthorizationStorage = deviceStorage{}

// serveMCP returns one tool for every request with a valid token.
func serveMCP(w http.ResponseWriter, r *http.Request, base string) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, base+"/userinfo", nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	req.Header.Set("Authorization", r.Header.Get("Authorization"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+base+`/.well-known/oauth-protected-resource/mcp"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var call struct{ ID any }
	_ = json.NewDecoder(r.Body).Decode(&call)
	writeJSON(w, map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": map[string]any{
		"tools": []any{map[string]any{"name": "test", "inputSchema": map[string]any{"type": "object"}}},
	}})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
