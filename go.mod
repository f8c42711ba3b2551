module github.com/mcp-login/mcp-login

go 1.26

require github.com/docker/cli v28.5.2+incompatible

require gotest.tools/v3 v3.5.2 // indirect
