package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// TestFlagWithoutItsFlag: a typed flag that has no effect without another one is a usage
// error that names both, instead of being ignored.
func TestFlagWithoutItsFlag(t *testing.T) {
	for line, want := range map[string]string{
		"test a --args {}":                                               "--args has no effect without --call",
		"env a --allow-unmasked":                                         "--allow-unmasked has no effect without --ci",
		"env a --allow-unmasked --ci=false":                              "--allow-unmasked has no effect without --ci",
		"client-config a --yes":                                          "--yes has no effect without --migrate",
		"client-config a --write --yes":                                  "--yes has no effect without --migrate",
		"browser --ssh-option Port=1":                                    "--ssh-option has no effect without HOST",
		"client-config a --write --remove":                               "client-config: use either --write or --remove",
		"client-config --migrate --for cursor":                           "--migrate takes no NAME, and only the flags --yes and --program",
		"browser --remote-port 1":                                        "--remote-port has no effect without --remote",
		"agent --keep-sinks":                                             "--keep-sinks has no effect without --sink",
		"agent --log-file x":                                             "--log-file has no effect without --background",
		"proxy a --listen-token-from env:T":                              "--listen-token-from has no effect without --listen",
		"login a --relay-token-from env:T":                               "--relay-token-from has no effect without --relay",
		"doctor --relay-token-from env:T":                                "--relay-token-from has no effect without --relay",
		"discover a --relay-token-from env:T":                            "--relay-token-from has no effect without --relay",
		"login a --client-key-id x":                                      "--client-key-id has no effect without --client-key-from",
		"proxy a --client-key-audience x":                                "--client-key-audience has no effect without --client-key-from",
		"login a --subject-token-type x":                                 "--subject-token-type has no effect without --subject-token-from",
		"login a --idp-client-id x":                                      "--idp-client-id has no effect without --idp-issuer or --idp-token-endpoint",
		"login a --idp-client-secret-from env:T":                         "--idp-client-secret-from has no effect without --idp-issuer or --idp-token-endpoint",
		"relay --base-url https://a.example --public --acme-email x":     "--acme-email has no effect without --acme-cache",
		"relay --base-url https://a.example --public --acme-directory x": "--acme-directory has no effect without --acme-cache",
	} {
		e, out, stderr := testEnv(t)
		words := strings.Fields(line)
		if code := run(t.Context(), words, &e.env); code != exit.BadUsage || out.String() != failure(words, code) || !strings.HasPrefix(stderr.String(), "mcp-login: "+want+"\n") {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q", line, code, out, stderr)
		}
	}
}

// TestFlagForAFlag: each flag whose help says that it is for another one is rejected
// without it.
func TestFlagForAFlag(t *testing.T) {
	e, _, _ := testEnv(t)
	belongs := regexp.MustCompile(`^With --|\b(for|of) --(\S+?)( at exit)?( \(|$| must)`)
	for _, l := range leaves(e) {
		for _, f := range l.Flags {
			if !belongs.MatchString(f.(cli.DocGenerationFlag).GetUsage()) {
				continue
			}
			words := append(slices.Clone(l.path), "--"+f.Names()[0])
			if takesValue(f) {
				words = append(words, "1")
			}
			e, _, stderr := testEnv(t)
			if code := run(t.Context(), append(words, l.arguments()...), &e.env); code != exit.BadUsage || !strings.Contains(stderr.String(), "has no effect without") {
				t.Errorf("%q: exit code %d, standard error %q", words, code, stderr)
			}
		}
	}
}

// TestFlagAndItsFlag: the other flag may come from the environment, and a flag that is
// off has no effect to miss.
func TestFlagAndItsFlag(t *testing.T) {
	for line, variable := range map[string]string{
		"env nobody --allow-unmasked=false":      "",
		"proxy nobody --listen-token-from env:T": "MCP_LOGIN_LISTEN",
		"store move --to x --yes":                "",
	} {
		e, _, stderr := testEnv(t)
		setVariables(e, map[string]string{variable: "127.0.0.1:0"})
		run(t.Context(), strings.Fields(line), &e.env)
		if strings.Contains(stderr.String(), "has no effect") {
			t.Errorf("%s: %s", line, stderr)
		}
	}
}
