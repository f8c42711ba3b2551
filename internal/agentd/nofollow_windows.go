package agentd

// noFollow is nothing: only administrators make links there.
const noFollow = 0
