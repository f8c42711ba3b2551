//go:build unix

package agentd

import "syscall"

// noFollow are open flags that reject a symbolic link and do not block on a pipe.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
