// Compiles src/ to dist/, or with `--outDir FOLDER` elsewhere, and makes the command executable: npm does that only when it links it
// for the first time, so that `npx gatewright` would end with "Permission denied" after the next build. Plain JavaScript, without dependencies.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { outDir: { type: 'string', default: join(root, 'dist') } } })
const folder = resolve(values.outDir)
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', folder], {
  stdio: 'inherit',
})
const command = join(folder, 'cli', 'main.js')
if (existsSync(command)) chmodSync(command, 0o755)
process.exitCode = status ?? 1
