// Package doctor finds what keeps a sign-in from working: in the environment of
// the program, on the way to an MCP server, and in what the server and its
// authorization servers publish.
//
// It runs the same discovery as a login and checks the recorded requests and
// responses, so that its findings are about the requests of a login. It must
// not know how findings are shown, and it sees no token and no secret: a report
// can be pasted unchanged into a bug report.
package doctor

import (
	"cmp"
	"slices"
)

// Result is the outcome of one check.
type Result string

// The results, from good to bad.
const (
	Skip Result = "skip" // not available here, and not required
	Pass Result = "pass"
	Warn Result = "warn" // works, or works for most clients
	Fail Result = "fail"
)

// A Finding is one line of a report.
type Finding struct {
	Area   string `json:"area"`  // what was examined: "network", "challenge", "metadata" and so on
	Check  string `json:"check"` // what about it
	Result Result `json:"result"`
	Detail string `json:"detail,omitempty"`
	Clause string `json:"clause,omitempty"` // clause of the specification that a server violates
	Remedy string `json:"remedy,omitempty"` // what to do about it
}

// Worst returns the worst result of the findings; Pass if there are none.
func Worst(findings []Finding) Result {
	order := []Result{Skip, Pass, Warn, Fail}
	worst := Pass
	for _, f := range findings {
		if slices.Index(order, f.Result) > slices.Index(order, worst) {
			worst = f.Result
		}
	}
	return worst
}

// distinct returns the findings without duplicates.
func distinct(findings []Finding) (once []Finding) {
	for _, f := range findings {
		if !slices.Contains(once, f) {
			once = append(once, f)
		}
	}
	return once
}

// area collects findings about one thing.
type area struct {
	name     string
	findings []Finding
}

func (a *area) pass(check, detail string) {
	a.findings = append(a.findings, Finding{Area: a.name, Check: check, Result: Pass, Detail: detail})
}

func (a *area) warn(check, detail, clause, remedy string) {
	a.findings = append(a.findings, Finding{a.name, check, Warn, detail, clause, orOperator(remedy, clause)})
}

func (a *area) fail(check, detail, clause, remedy string) {
	a.findings = append(a.findings, Finding{a.name, check, Fail, detail, clause, orOperator(remedy, clause)})
}

// orOperator returns the remedy. For a clause that a server breaks there always is one.
func orOperator(remedy, clause string) string {
	if clause != "" {
		remedy = cmp.Or(remedy, "ask the server's operator to fix it")
	}
	return remedy
}

// passUnless adds a pass if nothing was found since the mark.
func (a *area) passUnless(mark int, check, detail string) {
	if len(a.findings) == mark {
		a.pass(check, cmp.Or(detail, "as specified"))
	}
}
