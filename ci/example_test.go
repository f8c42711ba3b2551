package ci_test

import (
	"context"
	"fmt"
	"os"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
)

func Example() {
	env := map[string]string{"TF_BUILD": "True"} // os.Getenv in a real job
	getenv := func(name string) string { return env[name] }

	job := ci.Job{Provider: ci.Detect(getenv), Getenv: getenv, Out: os.Stdout, Err: os.Stdout} // Err: os.Stderr in a real job
	err := job.Export(context.Background(), []ci.Var{
		{Var: envexport.Var{Name: "MCP_NOTION_TOKEN", Value: "s3cret"}, Secret: true},
	})
	fmt.Println(err)
	// Output:
	// ##vso[task.setsecret]s3cret
	// ##vso[task.setvariable variable=MCP_NOTION_TOKEN;issecret=true]s3cret
	// <nil>
}
