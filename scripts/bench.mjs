// `npm run bench[:NAME]`: sets up, compiles bench/ to build/ and runs one of its mains. Usage: node scripts/bench.mjs main|translate|... [arguments]
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, setup } from './setup.mjs'

const [name = 'main', ...args] = process.argv.slice(2)
setup((line) => process.stdout.write(`${line}\n`))
const compiled = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.bench.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(1)
process.exit(spawnSync(process.execPath, [join(root, 'build/bench', `${name}.js`), ...args], { cwd: root, stdio: 'inherit' }).status ?? 1)
