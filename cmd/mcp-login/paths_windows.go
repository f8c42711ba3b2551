package main

// owner: files have no user ids here, and no program runs as root by mistake.
func owner(string) (uid int, ok bool) { return 0, false }
