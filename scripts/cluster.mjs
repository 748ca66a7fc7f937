// Sets up, compiles test/cluster to build/ and runs one of its mains. Usage: node scripts/cluster.mjs main|conformance|control [arguments]
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, setup } from './setup.mjs'

const mains = { main: 'main.js', conformance: 'conformance/main.js', control: 'bench/main.js' }
const [name = 'main', ...args] = process.argv.slice(2)
try {
  setup((line) => process.stderr.write(`${line}\n`))
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const compiled = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.cluster.json'], { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(1)
const child = spawn(process.execPath, [join(root, 'build/test/cluster', mains[name]), ...args], { stdio: 'inherit' })
// It hears a terminal's signals itself, and others' through this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => process.exit(code ?? 1))
