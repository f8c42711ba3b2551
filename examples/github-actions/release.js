// Downloads the program from a release and verifies its checksum.
'use strict'

const { execFileSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

const systems = { linux: 'linux', darwin: 'darwin', win32: 'windows', freebsd: 'freebsd' }
const processors = { x64: 'amd64', arm64: 'arm64', arm: 'armv7', ia32: '386' }

// fetchFile returns the bytes at a URL. A status other than 2xx is an error.
async function fetchFile(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) })
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

// folderURL returns the URL of the folder with the files of a version. For a
// major version such as v1 that is the latest release. A commit has no release.
function folderURL(releases, version) {
  if (/^v\d+\.\d+\.\d+/.test(version)) return `${releases}/download/${version}`
  if (version === 'latest' || /^v\d+(\.\d+)?$/.test(version)) return `${releases}/latest/download`
  return ''
}

// findArchive returns the name and checksum of the archive for this platform.
function findArchive(checksums, version) {
  const platform = `${systems[process.platform]}_${processors[process.arch]}`
  const line = new RegExp(`^([0-9a-f]{64})  (mcp-login_([0-9A-Za-z.+-]+)_${platform}\\.(?:tar\\.gz|zip))$`, 'm').exec(checksums)
  if (!line) throw new Error(`the release has no archive for ${platform}`)
  const [, sum, name, released] = line
  if (version !== 'latest' && `v${released}` !== version && !`v${released}`.startsWith(`${version}.`)) throw new Error(`the latest release is ${released}`)
  return { sum, name }
}

// download returns the path of the program, or the reason why no release can be
// used. A wrong checksum is an error.
exports.download = async (releases, version, dir) => {
  const from = folderURL(releases.replace(/\/$/, ''), version)
  if (!from) return { reason: 'a commit has no release' }
  let archive, wanted
  try {
    wanted = findArchive((await fetchFile(`${from}/checksums.txt`)).toString('utf8'), version)
    archive = await fetchFile(`${from}/${wanted.name}`)
  } catch (error) {
    return { reason: error.cause?.message ?? error.message }
  }
  const sum = createHash('sha256').update(archive).digest('hex')
  if (sum !== wanted.sum) throw new Error(`${wanted.name} has the SHA-256 checksum ${sum}, but the release lists ${wanted.sum}`)

  const bin = path.join(dir, 'bin')
  const program = process.platform === 'win32' ? 'mcp-login.exe' : 'mcp-login'
  fs.mkdirSync(bin)
  const file = path.join(bin, wanted.name)
  fs.writeFileSync(file, archive)
  // The tar of Windows itself reads zip files. The tar of Git does not.
  const tar = process.platform === 'win32' ? path.join(process.env.SystemRoot, 'System32', 'tar.exe') : 'tar'
  execFileSync(tar, ['-xf', file, '-C', bin, program], { stdio: 'inherit' })
  fs.rmSync(file)
  return { program: path.join(bin, program) }
}
