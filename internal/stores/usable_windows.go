package stores

// writableFolder does nothing on Windows: ACLs are checked on first use.
func writableFolder(string) error { return nil }
