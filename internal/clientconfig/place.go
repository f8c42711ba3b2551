package clientconfig

import (
	"cmp"
	"os"
	"path/filepath"
)

// Places finds the folders of the user's files.
type Places struct {
	Home    string // the user's home folder
	Project string // the folder of the project at hand; "": none
	GOOS    string
	Getenv  func(string) string
}

// config returns a path in the folder of the user's settings: $XDG_CONFIG_HOME,
// %APPDATA% or ~/Library/Application Support.
func (p Places) config(elements ...string) string {
	root := cmp.Or(p.Getenv("XDG_CONFIG_HOME"), filepath.Join(p.Home, ".config"))
	switch p.GOOS {
	case "windows":
		root = p.appData()
	case "darwin":
		root = filepath.Join(p.Home, "Library", "Application Support")
	}
	return filepath.Join(append([]string{root}, elements...)...)
}

// dotConfig is config for programs that use ~/.config on macOS too.
func (p Places) dotConfig(elements ...string) string {
	if p.GOOS == "darwin" {
		return filepath.Join(append([]string{p.Home, ".config"}, elements...)...)
	}
	return p.config(elements...)
}

func (p Places) appData() string {
	return cmp.Or(p.Getenv("APPDATA"), filepath.Join(p.Home, "AppData", "Roaming"))
}

func (p Places) home(elements ...string) string {
	return filepath.Join(append([]string{p.Home}, elements...)...)
}

// inFolder returns a file in a folder that a variable may name.
func (p Places) inFolder(variable, folder, name string) string {
	return filepath.Join(cmp.Or(p.Getenv(variable), p.home(folder)), name)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func claudeFile(p Places) string {
	if dir := p.Getenv("CLAUDE_CONFIG_DIR"); dir != "" {
		return filepath.Join(dir, ".claude.json")
	}
	return p.home(".claude.json")
}

// desktopFile has no place on Linux: there is no such program.
func desktopFile(p Places) string {
	if p.GOOS != "windows" && p.GOOS != "darwin" {
		return ""
	}
	return p.config("Claude", "claude_desktop_config.json")
}

func codexFile(p Places) string { return p.inFolder("CODEX_HOME", ".codex", "config.toml") }

func vscodeFile(p Places) string { return p.config("Code", "User", "mcp.json") }

func cursorFile(p Places) string { return p.home(".cursor", "mcp.json") }

func geminiFile(p Places) string { return p.home(".gemini", "settings.json") }

func opencodeFile(p Places) string {
	if path := p.Getenv("OPENCODE_CONFIG"); path != "" {
		return path
	}
	dir := p.home(".config", "opencode")
	if root := p.Getenv("XDG_CONFIG_HOME"); root != "" {
		dir = filepath.Join(root, "opencode")
	}
	if path := filepath.Join(dir, "opencode.jsonc"); fileExists(path) {
		return path
	}
	return filepath.Join(dir, "opencode.json")
}

func copilotFile(p Places) string { return p.home(".copilot", "mcp-config.json") }

func zedFile(p Places) string {
	if p.GOOS == "windows" {
		return filepath.Join(p.appData(), "Zed", "settings.json")
	}
	return p.dotConfig("zed", "settings.json")
}

func windsurfFile(p Places) string { return p.home(".codeium", "windsurf", "mcp_config.json") }

func gooseFile(p Places) string {
	if p.GOOS == "windows" {
		return filepath.Join(p.appData(), "Block", "goose", "config", "config.yaml")
	}
	return p.dotConfig("goose", "config.yaml")
}

func clineFile(p Places) string {
	return p.home(".cline", "data", "settings", "cline_mcp_settings.json")
}
