//go:build !unix

package atomicfile

import (
	"io/fs"
	"os"
)

// LockFolder locks nothing here: of two that change a folder at once, the last wins.
func LockFolder(string) (unlock func(), err error) { return func() {}, nil }

// keepGroup keeps nothing here: the access list of the folder says who may read a file.
func keepGroup(_ *os.File, _ string, mode fs.FileMode) fs.FileMode { return mode }
