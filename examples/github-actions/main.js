// Signs in or reads the store, then exports the variables to later steps. The
// program does the work. This script passes the inputs to it and saves what
// post.js has to clean up.
'use strict'

const { execFileSync } = require('node:child_process')
const { randomUUID } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { jobStore } = require('./jobstore.js')
const { download } = require('./release.js')

const input = name => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim()

// appendTo writes a value to a file of the runner, which holds its state or outputs.
function appendTo(variable, name, value) {
  const end = `end_${randomUUID()}`
  fs.appendFileSync(process.env[variable], `${name}<<${end}\n${value}\n${end}\n`)
}

// run executes a file and waits for it. If the file cannot be started, the error
// names the remedy.
function run(file, args, env, remedy) {
  try {
    execFileSync(file, args, { env, stdio: 'inherit' })
  } catch (error) {
    if (error.code) throw new Error(`${JSON.stringify(file)} cannot be run (${error.code}): ${remedy}`)
    throw error
  }
}

// version returns the version to use: the input, or the tag or commit that the
// action itself is pinned to. A branch name does not identify a version.
function version() {
  const ref = (process.env.GITHUB_ACTION_REF ?? '').replace(/^refs\/tags\//, '')
  const pinned = /^(v\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?|[0-9a-f]{40})$/.test(ref)
  return input('version') || (pinned ? ref : 'latest')
}

// build builds the program. Go's checksum database verifies the source.
function build(dir) {
  const bin = path.join(dir, 'bin')
  const env = { ...process.env, GOBIN: bin, GOFLAGS: '-tags=urfave_cli_no_docs' }
  const source = `github.com/mcp-login/mcp-login/cmd/mcp-login@${version()}`
  run('go', ['install', source], env, 'install Go before this step, for example with actions/setup-go, or set the input program to an installed mcp-login')
  return path.join(bin, process.platform === 'win32' ? 'mcp-login.exe' : 'mcp-login')
}

// install downloads the program from a release, or builds it if no release can be used.
async function install(dir) {
  if (!input('releases')) return build(dir)
  const { program, reason } = await download(input('releases'), version(), dir)
  if (program) return program
  console.log(`mcp-login is built from source, because no release can be used: ${escape(reason)}`)
  return build(dir)
}

// flags returns --name=value for each input that is set.
const flags = (...names) => names.filter(input).map(name => `--${name}=${input(name)}`)

// isPersistent reports whether the credentials are in a store that outlives the job.
function isPersistent() {
  const { MCP_LOGIN_STORE, MCP_LOGIN_PROFILE_DIR, MCP_LOGIN_AGENT_SOCK } = process.env
  return input('store') || MCP_LOGIN_STORE || MCP_LOGIN_PROFILE_DIR || (MCP_LOGIN_AGENT_SOCK && !input('url'))
}

async function main() {
  const name = input('name')
  if (!name) throw new Error('the input name is empty: set it to a profile name, such as notion')
  if (!input('url') && !isPersistent()) throw new Error('no credential: set the input url to sign in, or the input store to a store that has one')

  const dir = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP, 'mcp-login-'))
  appendTo('GITHUB_STATE', 'dir', dir)
  const program = input('program') || (await install(dir))
  appendTo('GITHUB_OUTPUT', 'program', program)

  const own = isPersistent() ? null : jobStore(dir)
  const store = own ? own.flags : flags('store')
  const mcpLogin = (...args) =>
    run(program, args, own ? own.env : process.env, 'set the input program to the path of an installed mcp-login, or leave it out to download one')

  if (input('url')) {
    if (own) {
      appendTo('GITHUB_STATE', 'program', program)
      appendTo('GITHUB_STATE', 'name', name)
    }
    mcpLogin('login', ...store, ...flags('flow', 'wait', 'audience', 'expect-issuer', 'expect-subject'), '--', name, input('url'))
  }
  // Others can write to a persistent store, so require its record to match the inputs.
  const audience = input('audience') ? [`--expect-audience=${input('audience')}`] : []
  const expected = own ? [own.noAgent] : [...flags('expect-issuer'), ...audience]
  mcpLogin('env', '--ci', ...store, ...expected, ...flags('min-ttl'), '--', name)
}

// escape keeps a message in one line, so that the runner reads one workflow command.
const escape = text => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')

main().catch(error => {
  // If the program ran, it has printed the reason, and its exit code becomes the step's.
  if (typeof error.status !== 'number') console.log(`::error::mcp-login: ${escape(error.message)}`)
  process.exitCode = error.status || 1
})
