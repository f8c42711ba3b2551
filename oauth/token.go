package oauth

import "net/http"

// Client is one registration at one authorization server: everything that its
// token, device and revocation endpoints need to know.
type Client struct {
	HTTP   *http.Client // use [Guard]
	Server Server
	App    App
}
