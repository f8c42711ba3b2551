package variables

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Naming has the options for the names of variables.
type Naming struct {
	Prefix string // beginning of the names; "": MCP_ and the profile's name
	Only   string // some of the variables, separated by commas; "": all
	Rename string // other names, such as AUTHORIZATION=NOTION_AUTH
}

// Suffixes returns the variables, without their prefix.
func Suffixes() []string { return []string{"AUTHORIZATION", "TOKEN", "URL", "EXPIRES_AT"} }

// suffixes returns the chosen variables in their order.
func (n Naming) suffixes() []string {
	if n.Only == "" {
		return Suffixes()
	}
	chosen := n.chosen()
	return slices.DeleteFunc(Suffixes(), func(s string) bool { return !slices.Contains(chosen, s) })
}

// chosen reads Only.
func (n Naming) chosen() []string {
	return strings.FieldsFunc(n.Only, func(r rune) bool { return r == ',' || r == ' ' })
}

// renamed reads Rename.
func (n Naming) renamed() map[string]string {
	names := map[string]string{}
	for pair := range strings.SplitSeq(n.Rename, ",") {
		suffix, name, _ := strings.Cut(pair, "=")
		names[suffix] = name
	}
	return names
}

// Name is the name of one variable.
type Name struct {
	Suffix, Name string
	Secret       bool // the value contains a token
}

// Names returns each profile's variables.
func (n Naming) Names(profiles []string) ([][]Name, error) {
	if err := n.check(len(profiles)); err != nil {
		return nil, err
	}
	var all [][]Name
	for _, profile := range profiles {
		of := n.Of(profile)
		var names []string
		for _, name := range of {
			names = append(names, name.Name)
		}
		if err := n.notOwn(profile, names); err != nil {
			return nil, err
		}
		all = append(all, of)
	}
	return all, nil
}

// Secrets returns the names of those variables that hold a token.
func (n Naming) Secrets(profiles []string) (names []string) {
	for _, profile := range profiles {
		for _, name := range n.Of(profile) {
			if name.Secret {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// Of returns a profile's variables without checking for collisions.
func (n Naming) Of(profile string) (names []Name) {
	renamed, prefix := n.renamed(), n.Prefix
	if prefix == "" {
		prefix = envexport.Prefix(profile)
	}
	for _, suffix := range n.suffixes() {
		name := renamed[suffix]
		if name == "" {
			name = prefix + "_" + suffix
		}
		names = append(names, Name{suffix, name, suffix == "AUTHORIZATION" || suffix == "TOKEN"})
	}
	return names
}

// Unset writes text that unsets the variables of profiles.
func (n Naming) Unset(w io.Writer, f envexport.Format, profiles []string) error {
	names, err := n.Names(profiles)
	if err != nil {
		return err
	}
	var all []string
	for _, name := range slices.Concat(names...) {
		all = append(all, name.Name)
	}
	return envexport.Unset(w, f, all)
}

// check rejects options that name an unknown variable, or one twice.
func (n Naming) check(profiles int) error {
	if n.Prefix != "" && !envexport.ValidName(n.Prefix) {
		return exit.Usagef("--prefix %q: use letters, digits and _, and do not begin with a digit", n.Prefix)
	}
	if profiles > 1 && (n.Prefix != "" || n.Rename != "") {
		return exit.Usagef("--prefix and --var require a single profile")
	}
	if n.Only != "" {
		for _, name := range n.chosen() {
			if !slices.Contains(Suffixes(), name) {
				return exit.Usagef("--only %q: use some of %s", name, strings.Join(Suffixes(), ","))
			}
		}
	}
	if n.Rename == "" {
		return nil
	}
	for suffix, name := range n.renamed() {
		if !slices.Contains(Suffixes(), suffix) || !envexport.ValidName(name) {
			return exit.Usagef("--var %q: use NAME=NEWNAME, with a name from %s", n.Rename, strings.Join(Suffixes(), ", "))
		}
	}
	return nil
}

// Distinct refuses profiles whose variables have the names of another's, as those
// of "a-b" and "a_b" have. Stored are the profiles in the store; nil: unknown. A name
// that is not stored, such as a mistyped one, is not checked here.
func (n Naming) Distinct(profiles, stored []string) error {
	if n.Prefix != "" {
		return nil
	}
	known := profiles
	if stored != nil {
		known = slices.DeleteFunc(slices.Clone(profiles), func(name string) bool { return !slices.Contains(stored, name) })
	}
	others := slices.Concat(profiles, stored)
	for _, profile := range known {
		if other, found := envexport.Collision(profile, others); found {
			return &exit.Error{
				Code: exit.BadUsage,
				Text: fmt.Sprintf("the variables of %q and %q have the same names", profile, other),
				Hint: "use other names: --prefix " + envexport.Prefix(profile) + "_2",
			}
		}
	}
	return nil
}

// Warnings says where a profile's variables have the names of another's, or of this
// program's own.
func Warnings(profile string, stored []string) (warnings []string) {
	if flag := PrefixFlag(profile); flag != nil {
		warnings = append(warnings, fmt.Sprintf("the variables of %q would begin with %s, which is reserved for mcp-login's own settings; use env and exec with %s", profile, OwnPrefix, suggest.Command(flag)))
	}
	if other, found := envexport.Collision(profile, stored); found {
		warnings = append(warnings, fmt.Sprintf("the variables of %q and %q have the same names: use --prefix with one of them", profile, other))
	}
	return warnings
}

// Into returns an environment with variables in it, in the place of those of the same
// names.
func Into(environ []string, vars []envexport.Var) ([]string, error) {
	environ, seen := slices.Clone(environ), map[string]bool{}
	for _, v := range vars {
		if seen[v.Name] {
			return nil, exit.Usagef("the variable %s is set twice", v.Name)
		}
		seen[v.Name] = true
		environ = slices.DeleteFunc(environ, func(s string) bool { return strings.HasPrefix(s, v.Name+"=") })
		environ = append(environ, v.Name+"="+v.Value)
	}
	return environ, nil
}

// Values returns variables with their values. One that has none is left out.
func Values(names []Name, authorization, token, url string, expiry time.Time) (vars []envexport.Var) {
	values := map[string]string{"AUTHORIZATION": authorization, "TOKEN": token, "URL": url}
	if !expiry.IsZero() {
		values["EXPIRES_AT"] = expiry.UTC().Format(time.RFC3339)
	}
	for _, name := range names {
		if value := values[name.Suffix]; value != "" {
			vars = append(vars, envexport.Var{Name: name.Name, Value: value})
		}
	}
	return vars
}
