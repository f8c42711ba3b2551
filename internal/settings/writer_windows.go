package settings

import "io/fs"

// writers returns the user: the ACL of the user's folder decides on Windows.
func writers(fs.FileInfo) (writer, error) { return ours, nil }
