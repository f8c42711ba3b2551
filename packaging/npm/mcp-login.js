#!/usr/bin/env node
// Runs the program from the package that npm installed for this platform. It
// inherits the streams, gets the signals, and sets the exit code of this process.
'use strict'

const { spawn } = require('node:child_process')
const { constants } = require('node:os')

const platform = `${process.platform}-${process.arch}`

function programPath() {
  const name = `@mcp-login/${platform}`
  try {
    return require.resolve(`${name}/bin/mcp-login${process.platform === 'win32' ? '.exe' : ''}`)
  } catch {
    const known = Object.keys(require('./package.json').optionalDependencies)
    const remedy = known.includes(name)
      ? `its package ${name} is not installed\nhint: npm install mcp-login --include=optional`
      : `mcp-login has no package for this platform\nhint: go install -tags urfave_cli_no_docs github.com/mcp-login/mcp-login/cmd/mcp-login@latest`
    process.stderr.write(`mcp-login: cannot run on ${platform}: ${remedy}\n`)
    process.exit(1)
  }
}

// A terminal sends these signals to the child too.
const fromTerminal = process.stdin.isTTY ? ['SIGINT', 'SIGQUIT'] : []
const signals = process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGCONT', 'SIGWINCH']
for (const signal of signals) {
  process.on(signal, () => {
    if (process.platform !== 'win32' && !fromTerminal.includes(signal)) child.kill(signal)
  })
}

// After the signal handlers, so that a signal cannot end only this process.
const child = spawn(programPath(), process.argv.slice(2), { stdio: 'inherit', windowsHide: false })

child.on('error', error => {
  process.stderr.write(`mcp-login: cannot start the program: ${error.message}\n`)
  process.exit(126)
})
child.on('exit', (code, signal) => {
  if (!signal) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // In case the signal does not end Node.
  setTimeout(() => process.exit(128 + constants.signals[signal]), 1000)
})
