// Logs in or reads the store, then hands the variables on. The program does
// the work; this passes the inputs on and says what post.js has to undo.
'use strict'

const { execFileSync } = require('node:child_process')
const { randomUUID } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { ownStore } = require('./own.js')
const { download } = require('./release.js')

const input = name => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim()

// append writes to one of the runner's files, where state and outputs go.
function append(variable, name, value) {
  const end = `end_${randomUUID()}`
  fs.appendFileSync(process.env[variable], `${name}<<${end}\n${value}\n${end}\n`)
}

// start runs a file to its end. One that is not there cannot say so itself.
function start(file, args, env, wayOut) {
  try {
    execFileSync(file, args, { env, stdio: 'inherit' })
  } catch (error) {
    if (error.code) throw new Error(`${JSON.stringify(file)} cannot be run (${error.code}): ${wayOut}`)
    throw error
  }
}

// version is what to use: what was asked for, else what the action itself is
// pinned to. A branch is no version: its name says nothing of what it holds.
function version() {
  const ref = (process.env.GITHUB_ACTION_REF ?? '').replace(/^refs\/tags\//, '')
  const pinned = /^(v\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?|[0-9a-f]{40})$/.test(ref)
  return input('version') || (pinned ? ref : 'latest')
}

// build makes the program. Go's checksum database vouches for the source.
function build(dir) {
  const bin = path.join(dir, 'bin')
  const env = { ...process.env, GOBIN: bin, GOFLAGS: '-tags=urfave_cli_no_docs' }
  const source = `github.com/mcp-login/mcp-login/cmd/mcp-login@${version()}`
  start('go', ['install', source], env, 'install Go before this step, for example with actions/setup-go, or set the input program to an installed mcp-login')
  return path.join(bin, process.platform === 'win32' ? 'mcp-login.exe' : 'mcp-login')
}

// provide downloads the program where there is a release, else builds it.
async function provide(dir) {
  if (!input('releases')) return build(dir)
  const { program, reason } = await download(input('releases'), version(), dir)
  if (program) return program
  console.log(`mcp-login is built from source, because no release can be used: ${escape(reason)}`)
  return build(dir)
}

// flags returns --name=value for the inputs that were given.
const flags = (...names) => names.filter(input).map(name => `--${name}=${input(name)}`)

// named reports whether credentials are somewhere that outlives the job.
function named() {
  const { MCP_LOGIN_STORE, MCP_LOGIN_PROFILE_DIR, MCP_LOGIN_AGENT_SOCK } = process.env
  return input('store') || MCP_LOGIN_STORE || MCP_LOGIN_PROFILE_DIR || (MCP_LOGIN_AGENT_SOCK && !input('url'))
}

async function main() {
  const name = input('name')
  if (!name) throw new Error('the input name is empty: set it to a profile name, such as notion')
  if (!input('url') && !named()) throw new Error('no credential: set the input url to sign in, or the input store to a store that has one')

  const dir = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP, 'mcp-login-'))
  append('GITHUB_STATE', 'dir', dir)
  const program = input('program') || (await provide(dir))
  append('GITHUB_OUTPUT', 'program', program)

  const own = named() ? null : ownStore(dir)
  const store = own ? own.flags : flags('store')
  const run = (...args) =>
    start(program, args, own ? own.env : process.env, 'set the input program to the path of an installed mcp-login, or leave it out to download one')

  if (input('url')) {
    if (own) {
      append('GITHUB_STATE', 'program', program)
      append('GITHUB_STATE', 'name', name)
    }
    run('login', ...store, ...flags('flow', 'wait', 'audience', 'expect-issuer', 'expect-subject'), '--', name, input('url'))
  }
  // Others can write to a named store, so its record is held to what was asked for.
  const audience = input('audience') ? [`--expect-audience=${input('audience')}`] : []
  const expected = own ? [own.noAgent] : [...flags('expect-issuer'), ...audience]
  run('env', '--ci', ...store, ...expected, ...flags('min-ttl'), '--', name)
}

// escape keeps a message one line and one command to the runner.
const escape = text => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')

main().catch(error => {
  // A program that ran has said why, and its exit code is the step's.
  if (typeof error.status !== 'number') console.log(`::error::mcp-login: ${escape(error.message)}`)
  process.exitCode = error.status || 1
})
