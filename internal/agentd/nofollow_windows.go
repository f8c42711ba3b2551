package agentd

// noFollow is 0: on Windows only administrators can create links.
const noFollow = 0
