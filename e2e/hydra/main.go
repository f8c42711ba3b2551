// Ory Hydra with its SQLite storage, for the tests.
package main

import "github.com/ory/hydra/v2/cmd"

func main() { cmd.Execute() }
