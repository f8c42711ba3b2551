package envexport

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Format names a shell or file format.
type Format string

// The formats.
const (
	Sh         Format = "sh"         // POSIX: bash, zsh, ksh, dash, mksh, yash, busybox
	Fish       Format = "fish"       //
	PowerShell Format = "powershell" // 5.1 and later
	Cmd        Format = "cmd"        // for /f "delims=" %i in ('...') do @%i, or a batch file
	Nushell    Format = "nushell"    // a script for `source`
	Elvish     Format = "elvish"     //
	Tcsh       Format = "tcsh"       // csh too
	Dotenv     Format = "dotenv"     // the common subset of .env dialects
	Docker     Format = "docker"     // docker run --env-file
	Systemd    Format = "systemd"    // EnvironmentFile=, systemd.exec(5)
	JSON       Format = "json"       // one object
)

// Formats returns every format.
func Formats() []Format {
	return []Format{Sh, Fish, PowerShell, Cmd, Nushell, Elvish, Tcsh, Dotenv, Docker, Systemd, JSON}
}

// ParseFormat returns the format with the given name, or that of a shell's
// program name, such as "bash".
func ParseFormat(name string) (Format, error) {
	f := Format(strings.ToLower(name))
	if slices.Contains(Formats(), f) {
		return f, nil
	}
	if f, ok := shell(string(f)); ok {
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q", name)
}

// shell returns the format for the shell with this program name.
func shell(program string) (Format, bool) {
	switch program {
	case "sh", "bash", "rbash", "zsh", "ksh", "ksh93", "mksh", "oksh", "lksh", "pdksh", "dash", "ash", "yash", "busybox", "posh":
		return Sh, true
	case "fish":
		return Fish, true
	case "powershell", "pwsh", "powershell_ise", "pwsh-preview":
		return PowerShell, true
	case "cmd":
		return Cmd, true
	case "nu", "nushell":
		return Nushell, true
	case "elvish":
		return Elvish, true
	case "tcsh", "csh":
		return Tcsh, true
	}
	return "", false
}

// syntax describes how a format sets and unsets a variable, and the text around
// all variables.
type syntax struct {
	open, separator, end string                          //
	set                  func(name, value string) string // name and value are validated
	unset                func(name string) string        // nil: not supported
	refuse               func(value string) string       // why the value cannot be represented, or ""; nil: every value can
}

func (s syntax) write(w io.Writer, statements []string) error {
	_, err := io.WriteString(w, s.open+strings.Join(statements, s.separator)+s.end)
	return err
}

func (f Format) syntax() (syntax, error) {
	switch f {
	case Sh:
		return syntax{
			set:   func(name, value string) string { return "export " + name + "=" + quoteSh(value) + "\n" },
			unset: func(name string) string { return "unset " + name + "\n" },
		}, nil
	case Fish:
		return syntax{
			set:   func(name, value string) string { return "set -gx " + name + " " + quoteFish(value) + "\n" },
			unset: func(name string) string { return "set -eg " + name + "\n" },
		}, nil
	case PowerShell:
		return syntax{
			set:    func(name, value string) string { return "$env:" + name + " = " + quotePowerShell(value) + "\n" },
			unset:  func(name string) string { return "$env:" + name + " = $null\n" },
			refuse: refusePowerShell,
		}, nil
	case Cmd:
		return syntax{
			set:    func(name, value string) string { return "set \"" + name + "=" + value + "\"\r\n" },
			unset:  func(name string) string { return "set \"" + name + "=\"\r\n" },
			refuse: refuseCmd,
		}, nil
	case Nushell:
		return syntax{
			set:   func(name, value string) string { return "$env." + name + " = " + quoteNushell(value) + "\n" },
			unset: func(name string) string { return "hide-env --ignore-errors " + name + "\n" },
		}, nil
	case Elvish:
		return syntax{
			set:   func(name, value string) string { return "set-env " + name + " " + quoteElvish(value) + "\n" },
			unset: func(name string) string { return "unset-env " + name + "\n" },
		}, nil
	case Tcsh:
		return syntax{
			set:    func(name, value string) string { return "setenv " + name + " " + quoteTcsh(value) + ";\n" },
			unset:  func(name string) string { return "unsetenv " + name + ";\n" },
			refuse: refuseLines,
		}, nil
	case Dotenv:
		return syntax{
			set:    func(name, value string) string { return name + "='" + value + "'\n" },
			refuse: refuseDotenv,
		}, nil
	case Docker:
		return syntax{
			set:    func(name, value string) string { return name + "=" + value + "\n" },
			refuse: refuseDocker,
		}, nil
	case Systemd:
		return syntax{
			set:    func(name, value string) string { return name + "=" + quoteSystemd(value) + "\n" },
			refuse: refuseSystemd,
		}, nil
	case JSON:
		return syntax{
			open: "{", separator: ",", end: "}\n",
			set:   func(name, value string) string { return quoteJSON(name) + ":" + quoteJSON(value) },
			unset: func(name string) string { return quoteJSON(name) + ":null" },
		}, nil
	}
	return syntax{}, fmt.Errorf("unknown format %q", string(f))
}
