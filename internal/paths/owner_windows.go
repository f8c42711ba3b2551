package paths

// Owner: files have no user IDs here, and no program runs as root by mistake.
func Owner(string) (uid int, ok bool) { return 0, false }

// homeVariables names the variables of the home folder, for an error.
const homeVariables = "USERPROFILE"
