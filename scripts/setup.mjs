// Makes a checkout ready to run: Node new enough, dependencies as the lock file says, dist/ not older than src/.
// Plain JavaScript because it runs before anything is installed. Called by start.mjs and gate.mjs; does nothing twice.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const lockMark = join(root, 'node_modules', '.gatewright-lock')
const buildMark = join(root, 'dist', '.built')

/** Installs and builds where needed. `log` gets one line for each thing done. Throws an Error with one clear line. */
export function setup(log) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Cannot start: Node must be 20.19 or newer, got ${process.versions.node}. Install a current Node.js and try again.`)
  }
  installDependencies(log)
  build(log)
}

function installDependencies(log) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(lockMark) && readFileSync(lockMark, 'utf8') === lock) return
  log('installing dependencies from package-lock.json')
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], 'install the dependencies')
  writeFileSync(lockMark, lock)
}

function build(log) {
  if (existsSync(buildMark) && newest(join(root, 'src')) < statSync(buildMark).mtimeMs) return
  log('building dist/')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  run(process.execPath, [join(root, 'scripts', 'build.mjs')], 'build')
  writeFileSync(buildMark, '')
}

function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    latest = Math.max(latest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
  }
  return latest
}

function run(command, args, purpose) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (result.status !== 0)
    throw new Error(`Cannot ${purpose}: ${command} must end with 0, got ${result.status ?? result.signal ?? result.error?.message}.`)
}
