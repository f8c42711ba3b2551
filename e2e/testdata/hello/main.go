// Hello is the least that a Go program costs: what the benchmarks compare with.
package main

import "fmt"

func main() { fmt.Println("hello, world") }
