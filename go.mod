module github.com/mcp-login/mcp-login

go 1.26
