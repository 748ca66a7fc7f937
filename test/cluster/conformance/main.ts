/**
 * `npm run conformance [-- FLAGS]`: the official suite against Gatewright in a cluster of its own. FLAGS go to the suite, as
 * `-run-test NAME`. The exit status is the suite's; the report of a whole run goes to conformance/reports/, of a part to build/.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parse } from 'yaml'
import { checkout } from '../checkout.ts'
import { startCluster } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'
import { ClusterError } from '../user-error.ts'
import { implementation } from './implementation.ts'
import { installGatewright } from './install.ts'
import { runSuite } from './suite-run.ts'
import type { TestEnd } from './suite-run.ts'
import { summaryOf } from './summary.ts'
import type { Report } from './summary.ts'

const log = join(checkout, 'build/conformance.log')

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function main(flags: readonly string[]): Promise<number> {
  const began = performance.now()
  const cluster = await startCluster(say)
  say(`the cluster is up (${since(began)} s)`)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void cluster.stop().then(() => process.exit(130)))
  try {
    await installGatewright(cluster)
    say(`Gatewright is installed (${since(began)} s)`)
    return await run(cluster, flags)
  } finally {
    await cluster.stop()
  }
}

async function run(cluster: Cluster, flags: readonly string[]): Promise<number> {
  const report = reportFile(flags)
  mkdirSync(dirname(report), { recursive: true })
  mkdirSync(dirname(log), { recursive: true })
  rmSync(report, { force: true })
  const began = performance.now()
  const { status, tests } = await runSuite(cluster, flags, { log, report }, sayEnd)
  const read = existsSync(report) ? (parse(readFileSync(report, 'utf8')) as Report) : undefined
  for (const line of summaryOf(read, tests, Number(since(began)))) say(line)
  if (read !== undefined) say(`Report: ${relative(checkout, report)}`)
  say(`Log:    ${relative(checkout, log)}`)
  return status ?? 1
}

/** Only a run of everything is worth keeping in the repository. */
function reportFile(flags: readonly string[]): string {
  const name = `experimental-${implementation.version}-default-report.yaml`
  return flags.length > 0 ? join(checkout, 'build', name) : join(checkout, 'conformance/reports/v1.7', name)
}

function sayEnd({ name, result, seconds }: TestEnd): void {
  say(`${result}  ${name} (${seconds.toFixed(1)} s)`)
}

function since(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof ClusterError ? error.message : String((error as Error).stack)}\n`)
  process.exitCode = 1
}
