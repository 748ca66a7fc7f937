/**
 * `npm run bench`: what a request costs the proxy, side by side in one run; README.md beside this file says what is
 * compared and what is not. CPU microseconds of the proxy's process for each request, from the kernel's counters, on
 * one core; load and backend have the other. The median of the rounds counts, and of the ratios within each round.
 * Prints the ratios beside their targets, writes bench/results/<commit>.json, exits 1 when a target is missed.
 * Options: --rounds N (5), --seconds N (4), --requests N (1000000, for the memory figure), --only NAME (a scenario, filters, memory).
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSigned } from './certificate.ts'
import { Contest, installHint, programPath } from './contestants.ts'
import { measureFilters } from './filter-cost.ts'
import { needsH2load, type Tools } from './load.ts'
import { measureMemory, megabytes, memoryMet } from './memory.ts'
import { readOptions } from './options.ts'
import { filterLines, measuredCommit, memoryLines, scenarioLines, scenarioMet, writeResults } from './report.ts'
import { checkSameWork } from './same-work.ts'
import { type Cell, measure, type Scenario, scenarios } from './scenario.ts'

const root = join(import.meta.dirname, '../..')

interface Result {
  readonly scenario: Scenario
  readonly cells: readonly Cell[]
  readonly met: boolean
}

async function main(): Promise<number> {
  const { rounds, seconds, requests, only } = readOptions([...scenarios.map(({ name }) => name), 'filters', 'memory'])
  const wanted = ({ name }: { readonly name: string }): boolean => only === undefined || only === name
  const wrk = programPath('wrk')
  if (wrk === undefined) throw new Error(`Cannot measure: wrk must be installed (${installHint.wrk})`)
  const commit = measuredCommit(root)
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-bench-'))
  // The workers of nginx give up root, and read the large body here.
  chmodSync(folder, 0o755)
  const contest = new Contest(folder)
  try {
    const certificate = selfSigned(folder)
    await contest.startBackends()
    const gatewright = await contest.startGatewright(root, certificate)
    await contest.startNginx()
    await contest.startEnvoy()
    const tools: Tools = { wrk, h2load: programPath('h2load'), messageFile: contest.messageFile }
    for (const name of contest.missing) print([`${name} is left out: it is not installed (${installHint[name]})`])
    for (const contestant of contest.contestants) await checkSameWork(contestant)
    const inHttp1 = scenarios.filter(({ load }) => load.kind === 'http1')
    const results = await runScenarios(tools, contest, inHttp1.filter(wanted), rounds, seconds)
    // Of a process that has served HTTP/1.1 only, where it is promised; how much it is at the end is told as well.
    const memory = wanted({ name: 'memory' }) ? await measureMemory(tools, gatewright, requests) : undefined
    if (memory !== undefined) print(['', ...memoryLines(memory)])
    results.push(
      ...(await runScenarios(
        tools,
        contest,
        scenarios.filter((one) => !inHttp1.includes(one) && wanted(one)),
        rounds,
        seconds,
      )),
    )
    const filters = wanted({ name: 'filters' }) ? await measureFilters(tools, gatewright, 2 * rounds, Math.ceil(seconds / 2)) : []
    if (filters.length > 0) print(['', ...filterLines(filters)])
    const megabytesAtEnd = megabytes(gatewright)
    const contestants = contest.contestants.map(({ name, version }) => ({ name, version }))
    const about = { seconds, contestants, missing: contest.missing }
    const name = writeResults(root, commit, { ...about, results, filters, memory, megabytesAtEnd })
    print(['', `memory after all of that: ${megabytesAtEnd} MB`, `written to ${name}`])
    return [...results, ...filters].every(({ met }) => met) && (memory === undefined || memoryMet(memory)) ? 0 : 1
  } finally {
    await contest.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runScenarios(
  tools: Tools,
  contest: Contest,
  chosen: readonly Scenario[],
  rounds: number,
  seconds: number,
): Promise<Result[]> {
  const results: Result[] = []
  for (const scenario of chosen) {
    if (tools.h2load === undefined && needsH2load(scenario.load)) {
      print(['', `${scenario.name} is left out: h2load is not installed (${installHint.h2load})`])
      continue
    }
    const takePart = contest.contestants.filter(({ name, extra }) => !extra || scenario.extras.includes(name))
    const cells = await measure(tools, takePart, scenario, rounds, seconds)
    print(['', ...scenarioLines(scenario, cells)])
    results.push({ scenario, cells, met: scenarioMet(scenario, cells) })
  }
  return results
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

try {
  // Whoever reads may leave early (`| head`): the run goes on, so that what it started is stopped.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
