// `npm run bench[:NAME]`: runs one of the mains of bench/. Usage: node scripts/bench.mjs main|translate|... [arguments]
import { runBuilt } from './run-built.mjs'

const [name = 'main', ...args] = process.argv.slice(2)
process.exit(runBuilt(`bench/${name}.js`, args))
