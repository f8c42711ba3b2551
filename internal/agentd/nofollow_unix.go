//go:build unix

package agentd

import "syscall"

// noFollow has a file opened only if its name is no link, and no pipe that would wait.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
