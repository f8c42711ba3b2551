module github.com/mcp-login/mcp-login

go 1.26.0

require (
	github.com/docker/cli v28.5.2+incompatible
	golang.org/x/oauth2 v0.37.0
)

require gotest.tools/v3 v3.5.2 // indirect
