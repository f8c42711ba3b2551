package remedy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/paths"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// withoutSudo is the hint for sudo that kept the home folder of another user.
func (c Call) withoutSudo() string {
	line := c.Line.Again(commandline.Part.Typed)
	return fmt.Sprintf("use the store of root: %v\nor the user's store, without sudo: %v", suggest.Command{"sudo", "-H"}.With(line...), line)
}

// fileHint is the hint for a file that the system does not let this program use; ""
// for all other errors.
func (c Call) fileHint(err error) string {
	at, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return ""
	}
	dir, full := filepath.Dir(at.Path), errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	switch {
	case full && dir == "/dev":
		return "the disk is full to which standard output goes"
	case full:
		return "the disk is full; see how full: " + suggest.Command{"df", "-h", dir}.String() + c.elsewhere(err)
	case errors.Is(err, syscall.EROFS):
		return dir + " is on a read-only file system" + c.elsewhere(err)
	}
	return ownerHint(err)
}

// elsewhere is the same command with a store in another place, if the store failed.
func (c Call) elsewhere(err error) string {
	if !errors.Is(err, secrets.ErrUnavailable) {
		return ""
	}
	return "\nuse a store elsewhere: " + c.Line.With("--store", "file:DIR").String()
}

// foreignHint is the hint for a store, or a part of one, that belongs to another user.
func (c Call) foreignHint(path string) string {
	var hints []string
	if path != c.Keys {
		hints = append(hints, "use a folder of yours: "+c.Line.With("--store", "file:DIR").String())
	}
	if dir, uid, mine := paths.Foreign(path); mine && dir != "" {
		hints = append(hints, chownHint(dir, uid))
	}
	return strings.Join(hints, "\n")
}

func chownHint(dir string, uid int) string {
	return fmt.Sprintf("%s in your folder belongs to user %d: sudo chown -R \"$(id -u):$(id -g)\" %s", dir, uid, suggest.Command{dir})
}

// inKeyFile is this command with the key of a new store in a file.
func (c Call) inKeyFile() string {
	if store, typed := c.Line.Value("store"); typed && strings.HasPrefix(store, "keyring:") {
		return c.Line.With("--store", "file:"+strings.TrimPrefix(store, "keyring:"), "--keeper", "key-file").String()
	}
	return c.Line.With("--keeper", "key-file").String()
}

// otherKeeper is the same command without the keeper that does not have the key, and the
// command that gives the key to it.
func (c Call) otherKeeper() string {
	keeper, typed := c.Line.Value("keeper")
	if !typed {
		return "the keeper is set by keeper, or by a store that begins with keyring:; where: " + suggest.MCPLogin("config", "show").With(c.Line.Profiles()...).String()
	}
	rekey := suggest.MCPLogin("store", "rekey", "--keeper", keeper)
	if usual, ok := c.Line.Value("store"); ok {
		rekey = rekey.With("--store", usual)
	}
	again := c.Line.Again(func(p commandline.Part) []string {
		if p.IsFlag && p.Flag == "keeper" {
			return nil
		}
		return p.Typed()
	})
	return again.String() + "\nor change the keeper: " + rekey.String()
}

// ownerHint returns what to do about a file that could not be reached because a
// parent folder belongs to another user, and "" for all other errors.
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
		return chownHint(dir, uid)
	}
	return fmt.Sprintf("%s belongs to user %d, but you are user %d", dir, uid, os.Geteuid())
}

// linkHint is the hint for a store, or a part of one, that is a symbolic link.
func (c Call) linkHint(link string) string {
	target, err := filepath.EvalSymlinks(link)
	if err != nil {
		return "its target does not exist: " + suggest.Command{"rm", link}.String()
	}
	if info, serr := os.Stat(target); serr == nil && info.IsDir() && c.Keys != link {
		return "use the folder itself: " + c.Line.With("--store", "file:"+target).String()
	}
	return "replace the link with its target: " + suggest.Command{"rm", link}.String() + "\nthen: " + suggest.Command{"mv", target, link}.String()
}

// passphraseHint is the hint for a store whose passphrase is missing or wrong.
func (c Call) passphraseHint(err error) string {
	const source = "set MCP_LOGIN_PASSPHRASE_FILE or MCP_LOGIN_PASSPHRASE_COMMAND"
	unlock := suggest.MCPLogin("unlock").With(c.StoreFlags...).String()
	switch {
	case c.Line.Starts("login", "unlock", "store") && !errors.Is(err, secretref.ErrLocked): // they prompt
		return "try again: " + c.Line.With().String() + "\n" + source
	case c.Line.Starts("unlock"), file.KernelCache{}.Supported() != nil:
		return source
	case errors.Is(err, secretref.ErrLocked):
		return unlock + "\n" + source
	}
	return source + ", or run once: " + unlock
}
