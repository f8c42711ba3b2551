package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/oauth"
)

type clientConfigOptions struct {
	common
	fromAgent
	client, via, program, file  string
	write, remove, migrate, yes bool
}

func newClientConfig(e *env) *cli.Command {
	var o clientConfigOptions
	c := &cli.Command{
		Name:      "client-config",
		Usage:     "Print or write the configuration of an MCP client",
		UsageText: "mcp-login client-config notion --for claude-code --write",
		ArgsUsage: "[NAME] [URL]",
		Description: "A client gets its token from a command that prints headers, where it can run one, else through `mcp-login proxy`. " +
			"URL is the stored credential's unless given. --write changes the client's file and leaves the old one beside it. " +
			"--migrate replaces mcp-remote in the files of all known clients.",
		Flags: append([]cli.Flag{
			stringFlag("for", "Configuration for `CLIENT`: "+strings.Join(clientconfig.Names(), ", "), "generic", &o.client),
			stringFlag("via", "How the client gets the token: `WAY` is proxy, helper (a command that prints headers) or variable (set by mcp-login exec) (default: helper where the client has one, else proxy)", "", &o.via),
			boolFlag("write", "Write the configuration to the client's file", &o.write),
			boolFlag("remove", "Remove the configuration from the client's file", &o.remove),
			stringFlag("file", "The client's `FILE`, such as a project's (default: the client's file for all projects)", "", &o.file),
			boolFlag("migrate", "Replace mcp-remote by mcp-login in the files of all known clients", &o.migrate),
			boolFlag("yes", "With --migrate: change the files without asking", &o.yes),
			stringFlag("program", "`PATH` of mcp-login in the configuration (default: the absolute path of this program)", "", &o.program),
		}, o.fromAgent.flags()...),
	}
	return e.command(c, &o.common, func(ctx context.Context, args []string) error { return runClientConfig(ctx, e, o, args) })
}

func runClientConfig(ctx context.Context, e *env, o clientConfigOptions, args []string) (err error) {
	if o.program == "" {
		if o.program, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program's path: %w", err)
		}
	}
	if o.migrate {
		return runMigrate(ctx, e, o, args)
	}
	if len(args) == 0 {
		return usagef("client-config: NAME is missing: mcp-login client-config NAME --for CLIENT")
	}
	client, ok := clientconfig.Find(o.client)
	if !ok {
		return usagef("--for %q: use one of %s", o.client, strings.Join(clientconfig.Names(), ", "))
	}
	via := cmp.Or(clientconfig.Via(o.via), client.Default())
	if !client.Can(via) {
		return usageError{fmt.Errorf("--via: %w", &clientconfig.CannotError{Client: client, Via: via})}
	}
	if o.remove {
		return e.removeEntry(o, client, args[0])
	}
	url, err := e.serverOf(ctx, &o, args)
	if err != nil {
		return err
	}
	entry := e.entry(&o, args[0], url)
	if o.write {
		return e.writeEntry(o, client, entry, via)
	}
	if err := e.answerData([]byte(client.Snippet(entry, via))); err != nil {
		return err
	}
	if file := e.clientFile(o, client); file != "" {
		e.say("This goes into %s; --write puts it there.", file)
	}
	if client.Else != "" {
		e.say("%s", client.Else)
	}
	e.afterEntry(client, args[0], via)
	return nil
}

// entry returns what a client is to know of a profile.
func (e *env) entry(o *clientConfigOptions, profile, url string) clientconfig.Entry {
	reach := fromAnywhere(slices.Concat(e.again(), e.repeated(o.common.flags(), "store", "profile-dir", "keeper", "ca-cert", "log-level", "log-format")))
	helper := slices.Concat([]string{o.program, "headers", profile, "--json"}, reach)
	for i, word := range helper {
		helper[i] = clientconfig.Quote(runtime.GOOS, word)
	}
	return clientconfig.Entry{
		Profile: profile, URL: url, Variable: freePrefix(profile) + "_AUTHORIZATION",
		Proxy:     slices.Concat([]string{o.program, "proxy", profile, url}, reach),
		Helper:    strings.Join(helper, " "),
		Variables: e.variablesOfProxy(),
	}
}

// fromAnywhere makes the paths in flags absolute: a client starts its commands in
// a folder that it chooses.
func fromAnywhere(words []string) []string {
	words = slices.Clone(words)
	for i, word := range words {
		name, value, joined := strings.Cut(word, "=")
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		switch name {
		case "--profile-dir", "--ca-cert":
			value = absolute(value)
		case "--store":
			kind, dir, _ := strings.Cut(value, ":")
			if kind == "vault" || dir == "" {
				continue
			}
			value = kind + ":" + absolute(dir)
		default:
			continue
		}
		if joined {
			words[i] = name + "=" + value
		} else if i+1 < len(words) {
			words[i+1] = value
		}
	}
	return words
}

// variablesOfProxy returns the names of the variables here that a proxy needs too.
func (e *env) variablesOfProxy() (names []string) {
	for _, name := range []string{
		"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
		"VAULT_ADDR", "VAULT_NAMESPACE", "VAULT_CACERT", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER",
	} {
		if e.getenv(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

func (e *env) writeEntry(o clientConfigOptions, client clientconfig.Client, entry clientconfig.Entry, via clientconfig.Via) error {
	file, err := e.namedFile(o, client)
	if err != nil {
		return err
	}
	change, err := client.Add(file, entry, via)
	if err != nil {
		return err
	}
	if change.Empty() {
		e.say("%s has %q already", change.Path, entry.Name())
		return nil
	}
	if err := change.Apply(); err != nil {
		return err
	}
	e.sayWritten(change, fmt.Sprintf("%q is in %s", entry.Name(), change.Path))
	e.afterEntry(client, entry.Profile, via)
	return nil
}

func (e *env) removeEntry(o clientConfigOptions, client clientconfig.Client, profile string) error {
	file, err := e.namedFile(o, client)
	if err != nil {
		return err
	}
	entry := clientconfig.Entry{Profile: profile}
	change, found, err := client.Remove(file, entry)
	if err != nil {
		return err
	}
	if !found {
		e.say("%s has no %q", file, entry.Name())
		return nil
	}
	if err := change.Apply(); err != nil {
		return err
	}
	e.sayWritten(change, fmt.Sprintf("%q is no longer in %s", entry.Name(), change.Path))
	return nil
}

func (e *env) sayWritten(c clientconfig.Change, what string) {
	if c.Backup == "" {
		e.say("%s", what)
		return
	}
	e.say("%s; the file as it was: %s", what, c.Backup)
}

// afterEntry says what else a client needs.
func (e *env) afterEntry(client clientconfig.Client, profile string, via clientconfig.Via) {
	if client.Note != "" && via == clientconfig.Proxy {
		e.say("%s", client.Note)
	}
	if via == clientconfig.Variable {
		e.say("Start the client with: %s", suggest.MCPLogin("exec", profile).With(needsPrefix(profile)...).With(e.again()...).With("--", "COMMAND"))
	}
}

func (e *env) places() clientconfig.Places {
	project, err := os.Getwd()
	if err != nil {
		project = ""
	}
	home := e.getenv("HOME")
	if runtime.GOOS == "windows" {
		home = e.getenv("USERPROFILE")
	}
	return clientconfig.Places{Home: home, Project: project, GOOS: runtime.GOOS, Getenv: e.getenv}
}

func (e *env) clientFile(o clientConfigOptions, client clientconfig.Client) string {
	return cmp.Or(o.file, client.File(e.places()))
}

// namedFile returns the file to change.
func (e *env) namedFile(o clientConfigOptions, client clientconfig.Client) (string, error) {
	file := e.clientFile(o, client)
	if file == "" {
		return "", usagef("the file of %s is not known here; name the client by --for, or its file by --file", client.Title)
	}
	return file, nil
}

// serverOf returns the URL that was given, else the stored credential's.
func (e *env) serverOf(ctx context.Context, o *clientConfigOptions, args []string) (string, error) {
	if len(args) > 1 {
		if _, err := oauth.CheckURL(args[1]); err != nil {
			return "", usagef("URL: %w", err)
		}
		return args[1], e.isFor(ctx, o, args[0], args[1])
	}
	return e.storedServer(ctx, o, args[0])
}

// isFor refuses a server that the profile is not for: its client would send it
// the token of another. What is not stored, or cannot be read here, is for any.
func (e *env) isFor(ctx context.Context, o *clientConfigOptions, profile, server string) error {
	stored, err := e.storedServer(ctx, o, profile)
	if err != nil {
		e.log.Debug().Err(err).Msg("the stored credential cannot be compared")
		return nil
	}
	if stored != server {
		return &mcplogin.ServerChangedError{Profile: profile, Stored: stored, Given: server}
	}
	return nil
}

func (e *env) storedServer(ctx context.Context, o *clientConfigOptions, profile string) (string, error) {
	from, err := e.source(ctx, &o.common, o.fromAgent, false)
	if err != nil {
		return "", err
	}
	r, err := e.report(ctx, &o.common, from, profile)
	return r.Server, err
}
