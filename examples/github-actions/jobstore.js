// The store of this job: a folder that post.js removes, with its key. Every call
// sets it by flags, so that neither the environment nor a configuration file can
// replace it with a store or a keeper of the team.
'use strict'

const path = require('node:path')

exports.jobStore = dir => {
  const data = path.join(dir, 'data')
  return {
    data,
    flags: [`--store=file:${data}`, '--keeper=key-file'],
    noAgent: '--agent-sock=', // for the commands that would use an agent instead
    env: { ...process.env, XDG_STATE_HOME: path.join(dir, 'state') }, // where the key is
  }
}
