package remedy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// withoutSudo is the hint for sudo that kept the home folder of another user.
func (c Call) withoutSudo() string {
	line := c.Line.Again(commandline.Part.Typed)
	return fmt.Sprintf("use the store of root: %v\nor that of the user, without sudo: %v", suggest.Command{"sudo", "-H"}.With(line...), line)
}

// ownerHint returns what to do about a file that could not be reached because
// a folder on its way belongs to somebody else, and "" for all other errors.
func ownerHint(err error) string {
	at, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	path, absErr := filepath.Abs(at.Path)
	if absErr != nil {
		return ""
	}
	dir, uid, mine := paths.Foreign(path)
	switch {
	case dir == "":
		return ""
	case mine:
		return fmt.Sprintf("%s in a folder of yours belongs to user %d: sudo chown -R \"$(id -u):$(id -g)\" %s", dir, uid, suggest.Command{dir})
	}
	return fmt.Sprintf("%s belongs to user %d, not to user %d who runs this", dir, uid, os.Geteuid())
}

// linkHint is the hint for a store, or a part of one, that is a symbolic link.
func (c Call) linkHint(link string) string {
	target, err := filepath.EvalSymlinks(link)
	if err != nil {
		return "it leads nowhere: " + suggest.Command{"rm", link}.String()
	}
	if info, serr := os.Stat(target); serr == nil && info.IsDir() && c.Keys != link {
		return "name the folder itself: " + c.Line.With("--store", "file:"+target).String()
	}
	return "replace the link by what it leads to: " + suggest.Command{"rm", link}.String() + "\nthen: " + suggest.Command{"mv", target, link}.String()
}

// passphraseHint is the hint for a store whose passphrase is missing or wrong.
func (c Call) passphraseHint(err error) string {
	const source = "set MCP_LOGIN_PASSPHRASE_FILE or MCP_LOGIN_PASSPHRASE_COMMAND"
	unlock := suggest.MCPLogin("unlock").With(c.StoreFlags...).String()
	switch {
	case c.Line.Starts("unlock"), file.KernelCache{}.Supported() != nil:
		return source
	case errors.Is(err, secretref.ErrLocked):
		return unlock + "\n" + source
	}
	return source + ", or run once: " + unlock
}
