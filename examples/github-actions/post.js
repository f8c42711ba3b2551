// Cleans up after main.js: revokes the tokens of this job's own sign-in and
// removes the folder. A credential in a store of the team stays.
'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const { jobStore } = require('./jobstore.js')

const { STATE_dir: dir, STATE_program: program, STATE_name: name } = process.env

// logout signs out if the sign-in succeeded. main.js has reported one that failed.
function logout() {
  const own = jobStore(dir)
  if (!fs.existsSync(own.data)) return
  const run = (stdout, ...args) => spawnSync(program, args, { env: own.env, stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' })
  const stored = run('pipe', 'list', ...own.flags, own.noAgent).stdout ?? ''
  // A failure is printed but does not fail the job, because the token expires anyway.
  if (stored.split(/\r?\n/).includes(name)) run('inherit', 'logout', ...own.flags, '--', name)
}

if (program) logout()
if (dir) fs.rmSync(dir, { recursive: true, force: true })
