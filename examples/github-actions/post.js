// Ends what main.js began: revokes the token of this job's own login and
// removes the folder. A credential in a store of the team stays.
'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { STATE_dir: dir, STATE_program: program, STATE_name: name } = process.env

if (program) {
  const own = { XDG_DATA_HOME: path.join(dir, 'data'), XDG_STATE_HOME: path.join(dir, 'state') }
  // A failure is shown and fails nothing: the token ends by itself.
  spawnSync(program, ['logout', '--', name], { env: { ...process.env, ...own }, stdio: 'inherit' })
}
if (dir) fs.rmSync(dir, { recursive: true, force: true })
