package authcode

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
)

func pastedAttempt(promised bool) *attempt {
	return &attempt{
		server: oauth.Server{Issuer: "https://as.test", ResponseIss: promised},
		state:  "STATE234567", result: make(chan result, 1), done: make(chan struct{}),
	}
}

func TestPastedTexts(t *testing.T) {
	t.Parallel()
	const valid = "http://127.0.0.1:4711/callback?code=co%2Fde-1234&state=STATE234567"
	for _, tt := range []struct {
		name, text, code string
		want             error
	}{
		{"address", valid, "co/de-1234", nil},
		{"with line end", valid + "\r\n", "co/de-1234", nil},
		{"wrapped", valid[:30] + "\n   " + valid[30:60] + "\r\n" + valid[60:], "co/de-1234", nil},
		{"in quotes", `  "` + valid + `" `, "co/de-1234", nil},
		{"in typographic quotes", "“" + valid + "”", "co/de-1234", nil},
		{"in angle brackets", "<" + valid + ">", "co/de-1234", nil},
		{"with zero-width characters", "\u200b" + valid[:20] + "\u2060" + valid[20:] + "\ufeff", "co/de-1234", nil},
		{"without scheme", strings.TrimPrefix(valid, "http://"), "co/de-1234", nil},
		{"of a relay", "https://relay.test/x/y?" + valid[strings.Index(valid, "?")+1:] + "#_=_", "co/de-1234", nil},
		{"only the query", valid[strings.Index(valid, "?"):], "co/de-1234", nil},
		{"only the parameters", valid[strings.Index(valid, "?")+1:], "co/de-1234", nil},
		{"bare code", " co/de-1234\n", "co/de-1234", nil},
		{"bare code, encoded", "co%2Fde-1234", "co/de-1234", nil},
		{"bare code with its name", "code=co%2Fde-1234", "co/de-1234", nil},
		{"code with dots and dashes", "4/0AeanS0a-_.~b+c=", "4/0AeanS0a-_.~b+c=", nil},
		{"code and state", "co/de-1234#STATE234567", "co/de-1234", nil},
		{"code and state, wrapped", "\"co/de-\n1234#STATE234567\"", "co/de-1234", nil},
		{"code with a number sign", "co/de#1234", "co/de#1234", nil},
		{"code and an old state", "co/de-1234#ABCDEFGHIJKLMNOPQRSTUVWXYZ", "", errPasteOld},
		{"an earlier attempt's address", strings.Replace(valid, "STATE234567", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1), "", errPasteOld},
		{"with HTML's ampersand", strings.Replace(valid, "&", "&amp;", 1), "co/de-1234", nil},
		{"escaped by a shell", strings.NewReplacer("?", `\?`, "=", `\=`, "&", `\&`).Replace(valid), "co/de-1234", nil},
		{"in a chat program's link", "https://chat.test/link?url=" + url.QueryEscape(valid) + "&sig=x", "co/de-1234", nil},
		{"in Markdown", "(" + valid + "),", "co/de-1234", nil},
		{"nothing", " \n", "", errPasteEmpty},
		{"an escape sequence of a key", "y", "", errPasteText},
		{"control characters", "\x1b]52;c;AAAA\x07code-1234", "", errPasteText},
		{"non-ASCII letters", "пароль-пароль", "", errPasteText},
		{"too long", strings.Repeat("a", maxPaste+1), "", errPasteLong},
		{"other state", strings.Replace(valid, "STATE", "OTHER", 1), "", errState},
		{"state twice", valid + "&state=x", "", errQuery},
		{"no state", "http://127.0.0.1:4711/callback?code=code-1234", "", errQuery},
		{"no authorization response", "https://as.test/?x=y", "", errPasteNoCode},
		{"no query", "https://as.test/done", "", errPasteNoCode},
		{"the address to open", "https://as.test/authorize?response_type=code&state=STATE234567&code_challenge=x", "", errPasteLink},
		{"broken encoding", "http://127.0.0.1/callback?code=%zz&state=STATE234567", "", errPasteText},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := pastedAttempt(false)
			err := a.acceptPaste(tt.text)
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Fatalf("acceptPaste(%q) = %v, want %v", tt.text, err, tt.want)
			}
			if err == nil {
				if got := <-a.result; got.code != tt.code || got.err != nil {
					t.Errorf("acceptPaste(%q) accepted %q, %v; want %q", tt.text, got.code, got.err, tt.code)
				}
			}
		})
	}
}

func TestBareCodeWhereIssuerIsPromised(t *testing.T) {
	t.Run("checklist 30: a bare code names no issuer", func(t *testing.T) {
		if err := pastedAttempt(true).acceptPaste("code-12345"); !errors.Is(err, errIssuer) {
			t.Errorf("acceptPaste = %v, want %v", err, errIssuer)
		}
	})
}

// FuzzPaste: pasted text is accepted only with the state of this login or as a bare
// code, contains only characters of a code, and a rejected text is not repeated in
// the error.
func FuzzPaste(f *testing.F) {
	for _, s := range []string{
		"http://127.0.0.1:1/callback?code=code-1234&state=STATE234567", "code-1234567", "?error=access_denied&state=STATE234567&iss=https://as.test",
		"“https://x/?state=STATE234567&code=%00”", "a&b;c", "\x1b[200~x\x1b[201~", "code=code=code=code=", "https://x/#code=1&state=STATE234567",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, promised := range []bool{false, true} {
			a := pastedAttempt(promised)
			if err := a.acceptPaste(text); err != nil {
				if len(a.result) != 0 || len(text) > 12 && strings.Contains(err.Error(), text) {
					t.Fatalf("rejected with %q, %d answers", err, len(a.result))
				}
				continue
			}
			got := <-a.result
			p, err := parsePaste(text)
			if err != nil || p.query == nil && promised || p.query != nil && p.query.Get("state") != a.state {
				t.Fatalf("%q was accepted", text)
			}
			if (got.err == nil) != isCode(got.code) || got.err != nil && got.code != "" {
				t.Fatalf("%q gave %q, %v", text, got.code, got.err)
			}
			if got.err == nil && promised && p.query.Get("iss") != a.server.Issuer {
				t.Fatalf("%q gave a code of another issuer", text)
			}
		}
	})
}

// FuzzPasteRoundTrip: every code that a server may send is accepted, however the
// URL was wrapped and quoted.
func FuzzPasteRoundTrip(f *testing.F) {
	f.Add("code-1234", 7, true)
	f.Add("a b&c=d#e?f%41+\"'", 1, false)
	f.Fuzz(func(t *testing.T, code string, width int, quoted bool) {
		if !isCode(code) || len(code) > maxPaste/8 {
			t.Skip("not a code")
		}
		text := "http://localhost:4711/cb?" + url.Values{"code": {code}, "state": {"STATE234567"}}.Encode()
		if width > 0 && width < len(text) {
			text = text[:width] + "\r\n " + text[width:]
		}
		if quoted {
			text = "`" + text + "`"
		}
		a := pastedAttempt(false)
		if err := a.acceptPaste(text); err != nil {
			t.Fatalf("acceptPaste(%q) = %v", text, err)
		}
		if got := <-a.result; got.code != code || got.err != nil {
			t.Fatalf("acceptPaste(%q) accepted %q, %v; want %q", text, got.code, got.err, code)
		}
	})
}

// TestPages: every page is complete, constant, and allowed by its
// Content-Security-Policy.
func TestPages(t *testing.T) {
	t.Parallel()
	if strings.ContainsAny(pageCSS, "<>") || strings.Contains(pageHTML, "<script") || strings.Contains(pageHTML, "http") {
		t.Error("a page must not load or run anything")
	}
	for _, p := range []page{pageDone, pageDenied, pageError, pageUsed, pageOther, pageForeign, pageMethod, pageNotFound} {
		if icons[p.Tone] == "" || p.Status == 0 || p.Title == "" || p.Text == "" || strings.ContainsAny(p.Title+p.Text, "<>&{}\"") {
			t.Errorf("page %+v", p)
		}
	}
}
