/**
 * The commands as a user gets them: src/ compiled into a folder of its own under build/, which is named for the state of
 * src/, so that it is never stale, is made once for all test processes, and leaves dist/ alone.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const builds = join(root, 'build', 'cli-test')
const hour = 60 * 60 * 1000

/** The path of main.js. Takes a second when src/ has changed, nothing to speak of otherwise. */
export function builtCommand(): string {
  const folder = join(builds, stateOf(join(root, 'src')))
  if (!existsSync(folder)) build(folder)
  return join(folder, 'dist', 'cli', 'main.js')
}

function stateOf(source: string): string {
  const hash = createHash('sha256')
  for (const entry of readdirSync(source, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = statSync(join(source, entry), { throwIfNoEntry: false })
    hash.update(`${entry} ${file?.size} ${file?.mtimeMs}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Into a folder beside it first: whoever renames first wins, and nobody ever sees half a build. */
function build(folder: string): void {
  mkdirSync(builds, { recursive: true })
  removeOld()
  const made = mkdtempSync(join(builds, 'new-'))
  cpSync(join(root, 'package.json'), join(made, 'package.json'))
  const { stdout } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--outDir', join(made, 'dist')], {
    encoding: 'utf8',
  })
  // Errors of types are another check's to report; the code runs.
  if (!existsSync(join(made, 'dist', 'cli', 'main.js'))) throw new Error(`Cannot build the commands: ${stdout}`)
  try {
    renameSync(made, folder)
  } catch {
    rmSync(made, { recursive: true, force: true })
  }
}

function removeOld(): void {
  for (const name of readdirSync(builds)) {
    const folder = join(builds, name)
    const made = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - made > hour) rmSync(folder, { recursive: true, force: true })
  }
}
