// The store of this job alone: a folder that post.js removes, with its key. It
// is named on every call, so that neither the environment nor a configuration
// file can put a store or a keeper of the team in its place.
'use strict'

const path = require('node:path')

exports.ownStore = dir => {
  const data = path.join(dir, 'data')
  return {
    data,
    flags: [`--store=file:${data}`, '--keeper=key-file'],
    noAgent: '--agent-sock=', // for the commands that would ask one instead
    env: { ...process.env, XDG_STATE_HOME: path.join(dir, 'state') }, // where the key is
  }
}
