// `npm start`: installs and builds if needed, then serves examples/canary. Further arguments go to `gatewright run`.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setup } from './setup.mjs'

try {
  setup((line) => process.stderr.write(`${line}\n`))
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
const main = join(root, 'dist', 'cli', 'main.js')
process.argv = [process.execPath, main, 'run', join(root, 'examples', 'canary'), ...process.argv.slice(2)]
await import(pathToFileURL(main).href)
