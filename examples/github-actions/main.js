// Logs in or reads the store, then hands the variables on. The program does
// the work; this passes the inputs on and says what post.js has to undo.
'use strict'

const { execFileSync } = require('node:child_process')
const { randomUUID } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

const input = name => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim()

// append writes to one of the runner's files, where state and outputs go.
function append(variable, name, value) {
  const end = `end_${randomUUID()}`
  fs.appendFileSync(process.env[variable], `${name}<<${end}\n${value}\n${end}\n`)
}

// build makes the program. Go's checksum database vouches for the source.
function build(version, dir) {
  const bin = path.join(dir, 'bin')
  const env = { ...process.env, GOBIN: bin, GOFLAGS: '-tags=urfave_cli_no_docs' }
  execFileSync('go', ['install', `github.com/mcp-login/mcp-login/cmd/mcp-login@${version}`], { env, stdio: 'inherit' })
  return path.join(bin, process.platform === 'win32' ? 'mcp-login.exe' : 'mcp-login')
}

// flags returns --name=value for the inputs that were given.
const flags = (...names) => names.filter(input).map(name => `--${name}=${input(name)}`)

function main() {
  const dir = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP, 'mcp-login-'))
  append('GITHUB_STATE', 'dir', dir)
  const program = input('program') || build(input('version'), dir)
  append('GITHUB_OUTPUT', 'program', program)

  // Credentials of this job alone live in its folder, with their key.
  const own = { XDG_DATA_HOME: path.join(dir, 'data'), XDG_STATE_HOME: path.join(dir, 'state') }
  const env = input('store') ? process.env : { ...process.env, ...own }
  const run = (...args) => execFileSync(program, args, { env, stdio: 'inherit' })

  if (input('url')) {
    if (!input('store')) {
      append('GITHUB_STATE', 'program', program)
      append('GITHUB_STATE', 'name', input('name'))
    }
    const asked = flags('store', 'flow', 'wait', 'audience', 'expect-issuer', 'expect-subject')
    run('login', ...asked, '--', input('name'), input('url'))
  }
  run('env', '--ci', ...flags('store', 'min-ttl'), '--', input('name'))
}

try {
  main()
} catch (error) {
  // The program has said why; its exit code is the step's.
  if (error.status === undefined) console.error(error.message)
  process.exitCode = error.status || 1
}
