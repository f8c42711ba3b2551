// Ends what main.js began: revokes the token of this job's own login and
// removes the folder. A credential in a store of the team stays.
'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const { ownStore } = require('./own.js')

const { STATE_dir: dir, STATE_program: program, STATE_name: name } = process.env

// logout ends the login if there was one: a login that failed has been told of.
function logout() {
  const own = ownStore(dir)
  if (!fs.existsSync(own.data)) return
  const run = (stdout, ...args) => spawnSync(program, args, { env: own.env, stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' })
  const stored = run('pipe', 'list', ...own.flags, own.noAgent).stdout ?? ''
  // A failure is shown and fails nothing: the token ends by itself.
  if (stored.split(/\r?\n/).includes(name)) run('inherit', 'logout', ...own.flags, '--', name)
}

if (program) logout()
if (dir) fs.rmSync(dir, { recursive: true, force: true })
