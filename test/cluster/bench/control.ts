/** The measurements of `npm run bench:control`, in the cluster's network: prints the figures, keeps them in bench/results/. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'
import { appear } from './appear.ts'
import { type Figure, figureLine, isMet } from './figures.ts'
import { many } from './many.ts'
import { oneByOne } from './one-by-one.ts'
import { toggle } from './toggle.ts'

const isQuick = process.argv.includes('--quick')

const only = process.argv[process.argv.indexOf('--only') + 1] ?? ''
const isWhole = !process.argv.includes('--only')

const parts: Readonly<Record<string, () => Promise<readonly Figure[]>>> = isQuick
  ? {
      appear: () => appear(200),
      'one-by-one': () => oneByOne(100),
      toggle: () => toggle(5),
      many: () => many({ namespaces: 5, routes: 250, seconds: 5 }),
    }
  : {
      appear: () => appear(1_000),
      'one-by-one': () => oneByOne(3_000),
      toggle: () => toggle(20),
      many: () => many({ namespaces: 50, routes: 5_000, seconds: 30 }),
    }

const figures: Figure[] = []
for (const [name, measure] of Object.entries(parts)) {
  if (!isWhole && name !== only) continue
  const found = await measure()
  figures.push(...found)
  process.stdout.write(`${found.map(figureLine).join('\n')}\n\n`)
}
if (!isQuick && isWhole) {
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: checkout, encoding: 'utf8' }).trim()
  const name = `control-${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '-changed'}.json`
  writeFileSync(join(checkout, 'bench/results', name), `${JSON.stringify({ node: process.version, figures }, undefined, 2)}\n`)
  process.stdout.write(`written to bench/results/${name}\n`)
}
process.exitCode = figures.every(isMet) ? 0 : 1
