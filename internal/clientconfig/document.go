package clientconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// maxFile is the maximum size of a file that is edited. Claude Code keeps much of
// its state in the same one.
const maxFile = 64 << 20

// Text files of Windows may begin with a byte order mark, and end their lines so.
const (
	byteOrderMark = "\ufeff"
	crlf          = "\r\n"
)

// document is a client's file.
type document struct {
	path    string // what it leads to, if it is a link
	exists  bool
	content []byte // all of it
	text    []byte // the same without a byte order mark, and with lines that end in \n
}

// readDocument reads a file; a missing one is empty.
func readDocument(path string) (d document, err error) {
	if d.path, err = target(path); err != nil {
		return d, err
	}
	info, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d, nil
	case err != nil:
		return d, err
	case !info.Mode().IsRegular():
		return d, errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return d, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	d.exists = true
	if d.content, err = os.ReadFile(d.path); err != nil {
		return d, err
	}
	if !utf8.Valid(d.content) {
		return d, errors.New("it is not UTF-8 text")
	}
	return d.decoded(), nil
}

// decoded returns the document with its text.
func (d document) decoded() document {
	d.text = bytes.TrimPrefix(d.content, []byte(byteOrderMark))
	if d.hasCRLF() {
		d.text = bytes.ReplaceAll(d.text, []byte(crlf), []byte("\n"))
	}
	return d
}

// target returns the path of the file that a path leads to, which may be missing.
func target(path string) (string, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	to, err := filepath.EvalSymlinks(path)
	if err != nil && info.Mode()&fs.ModeSymlink != 0 {
		return "", errors.New("it is a broken symbolic link")
	}
	return to, err
}

// hasCRLF reports whether all lines end as on Windows.
func (d document) hasCRLF() bool {
	n := bytes.Count(d.content, []byte(crlf))
	return n > 0 && n == bytes.Count(d.content, []byte("\n"))
}

// encode returns the content of the file with another text.
func (d document) encode(text []byte) []byte {
	if d.hasCRLF() {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte(crlf))
	}
	if bytes.HasPrefix(d.content, []byte(byteOrderMark)) {
		text = append([]byte(byteOrderMark), text...)
	}
	return text
}
