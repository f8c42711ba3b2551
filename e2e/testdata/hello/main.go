// Hello is the smallest Go program, to which the benchmarks compare the start of
// mcp-login.
package main

import "fmt"

func main() { fmt.Println("hello, world") }
