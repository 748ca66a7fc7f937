// Sets up, compiles bench/ and test/soak to build/ and runs a file of it, for bench.mjs and soak.mjs.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, setup } from './setup.mjs'

/** The exit status of the file, 1 when it could not be compiled. */
export function runBuilt(file, args) {
  setup((line) => process.stdout.write(`${line}\n`))
  const compiled = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.bench.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (compiled.status !== 0) return 1
  return spawnSync(process.execPath, [join(root, 'build', file), ...args], { cwd: root, stdio: 'inherit' }).status ?? 1
}
