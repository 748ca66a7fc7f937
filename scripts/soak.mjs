// `npm run soak`: nothing lost, nothing leaked, see test/soak/main.ts. Usage: node scripts/soak.mjs [--minutes N | --seconds N] [--seed N]
import { runBuilt } from './run-built.mjs'

process.exit(runBuilt('test/soak/main.js', process.argv.slice(2)))
