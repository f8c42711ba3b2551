package mcplogin_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackagesAreMapped: CONTRIBUTING.md describes each package in internal.
func TestPackagesAreMapped(t *testing.T) {
	page, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\nThe packages in `internal/`")
	paragraph, _, found := strings.Cut(rest, "\nImports point downward")
	if !found {
		t.Fatal("CONTRIBUTING.md has no map of internal")
	}
	for _, path := range sources(t) {
		name := filepath.Base(filepath.Dir(path))
		if strings.HasPrefix(path, "internal/") && !strings.Contains(paragraph, "`"+name+"`") {
			t.Errorf("CONTRIBUTING.md does not say what %s is for", filepath.Dir(path))
		}
	}
}

// TestDiagramOfPackages: each arrow of the diagram in ARCHITECTURE.md is an import,
// no import goes up in it, and it has every package in internal that the library uses.
func TestDiagramOfPackages(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "flowchart TB\n")
	diagram, _, _ := strings.Cut(rest, "```")
	boxes, floors := boxesOf(diagram)
	imports := importsOfPackages(t)
	for _, a := range arrowsOf(diagram) {
		if !slices.ContainsFunc(boxes[a[0]], func(from string) bool {
			return slices.ContainsFunc(imports[from], func(path string) bool {
				to, own := ownPackage(path)
				return own && slices.Contains(boxes[a[1]], to)
			})
		}) {
			t.Errorf("the arrow %s --> %s is no import", a[0], a[1])
		}
	}
	for from, floor := range floors {
		if _, found := imports[from]; !found {
			t.Errorf("there is no package %q", from)
		}
		for _, path := range imports[from] {
			to, own := ownPackage(path)
			if !own {
				continue
			}
			below, found := floors[to]
			if found && below > floor {
				t.Errorf("%q imports %q, which the diagram has above it", from, to)
			}
			if !found && floor < "L4" && strings.HasPrefix(to, "internal/") {
				t.Errorf("%q imports %q, which is not in the diagram", from, to)
			}
		}
	}
}

var (
	floorLine = regexp.MustCompile(`subgraph (L\d)\[`)
	boxLine   = regexp.MustCompile(`^ +(\w+)\["(.*)"\]$`)
)

// boxesOf returns the packages of each box, and the floor of each package.
func boxesOf(diagram string) (boxes map[string][]string, floors map[string]string) {
	boxes, floors = map[string][]string{}, map[string]string{}
	floor := ""
	for line := range strings.Lines(diagram) {
		if m := floorLine.FindStringSubmatch(line); m != nil {
			floor = m[1]
		}
		if m := boxLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			boxes[m[1]] = packagesOf(m[2])
			for _, path := range boxes[m[1]] {
				floors[path] = floor
			}
		}
	}
	return boxes, floors
}

// packagesOf returns the packages that the text of a box names.
func packagesOf(text string) []string {
	names, about, _ := strings.Cut(text, ": ")
	if names == "package mcplogin" {
		return []string{""}
	}
	all := strings.Split(names, " · ")
	if names == "internal/…" {
		all = strings.Split(about, ", ")
	}
	if strings.HasPrefix(names, "internal/") {
		for i := range all {
			all[i] = "internal/" + strings.TrimPrefix(all[i], "internal/")
		}
	}
	return all
}

// arrowsOf returns the pairs of boxes that arrows connect.
func arrowsOf(diagram string) (all [][2]string) {
	for line := range strings.Lines(diagram) {
		ends := strings.Split(strings.TrimSpace(line), " --> ")
		for i := range len(ends) - 1 {
			for from := range strings.SplitSeq(ends[i], " & ") {
				for to := range strings.SplitSeq(ends[i+1], " & ") {
					all = append(all, [2]string{from, to})
				}
			}
		}
	}
	return all
}
