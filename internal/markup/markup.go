// Package markup writes HTML. Only constants are markup: everything else is
// escaped. It must not know any page.
//
// html/template would do the same. It finds methods by name, so that the linker
// keeps every method of every type: 3 MB of the program.
package markup

import (
	"html"
	"net/url"
	"strings"
)

// HTML is markup. A constant converts to it implicitly, a string does not.
type HTML string

// Text escapes a text. It may stand between tags and in a quoted attribute, but not in
// an attribute that holds an address or a script.
func Text(text string) HTML { return HTML(html.EscapeString(text)) }

// Href escapes an address for a quoted attribute. It returns "#" for one that a browser
// would not open but run, such as javascript:, and for one that is no URL.
func Href(address string) HTML {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "" {
		return "#"
	}
	return Text(address)
}

// Fill returns the markup with its placeholders, such as {title}, replaced. Names and
// values alternate. A value is not searched for placeholders.
func Fill(markup HTML, namesAndValues ...HTML) HTML {
	pairs := make([]string, len(namesAndValues))
	for i, s := range namesAndValues {
		pairs[i] = string(s)
	}
	return HTML(strings.NewReplacer(pairs...).Replace(string(markup)))
}

// If returns the markup with {} replaced by the value, or nothing if there is no value.
func If(value, markup HTML) HTML {
	if value == "" {
		return ""
	}
	return Fill(markup, "{}", value)
}
