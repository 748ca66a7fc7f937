/**
 * `npm run bench`: what a request costs the proxy, side by side in one run.
 *
 * CPU microseconds of the proxy process for each request, from the kernel's counters, on one core; load and backend
 * have the other. The proxies take turns within each round, so that a machine that slows down slows all of them;
 * the median of the rounds counts. Prints the ratios beside their targets and writes bench/results/<commit>.json.
 * Options: --rounds N (5), --seconds N (4), --requests N (1000000, for the memory figure), --only NAME.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Contest, programPath, type Contestant } from './contestants.ts'
import { burst, type Burst } from './load.ts'
import { residentBytes } from './process-cpu.ts'
import { largePath, smallPath } from './workload.ts'

interface Scenario {
  readonly name: string
  readonly scheme: 'http' | 'https'
  readonly path: string
  /** By the name of the other proxy: our cost divided by its cost may be this at most. */
  readonly targets: Readonly<Record<string, number>>
}

const scenarios: readonly Scenario[] = [
  { name: 'small GET', scheme: 'http', path: smallPath, targets: { nginx: 1.4, envoy: 0.4 } },
  { name: 'small GET over TLS', scheme: 'https', path: smallPath, targets: { nginx: 1.5 } },
  { name: '64 KiB body', scheme: 'http', path: largePath, targets: { nginx: 1.5 } },
]

interface Cell {
  readonly proxy: string
  readonly cpuPerRequest: number
  readonly requestsPerSecond: number
  readonly errors: number
  readonly rounds: readonly Burst[]
}

const root = join(import.meta.dirname, '../..')

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      requests: { type: 'string', default: '1000000' },
      only: { type: 'string' },
    },
  })
  const wrk = programPath('wrk')
  if (wrk === undefined) throw new Error('Cannot measure: wrk must be installed (apt-get install wrk)')
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-bench-'))
  // The workers of nginx give up root, and read the large body here.
  chmodSync(folder, 0o755)
  const contest = new Contest(folder)
  try {
    const certificate = selfSigned(folder)
    await contest.startBackend()
    const gatewright = await contest.startGatewright(root, certificate)
    await contest.startNginx()
    await contest.startEnvoy()
    for (const name of contest.missing) process.stdout.write(`${name} is not installed: left out\n`)
    const results = []
    for (const scenario of scenarios.filter((s) => values.only === undefined || s.name === values.only)) {
      const cells = await measure(wrk, contest.contestants, scenario, Number(values.rounds), Number(values.seconds))
      results.push({ scenario, cells })
      print(scenario, cells)
    }
    const memory = await measureMemory(wrk, gatewright, Number(values.requests))
    process.stdout.write(
      `\nmemory after each quarter of ${memory.requests} requests: ${memory.megabytes.join(', ')} MB (target <= 110, flat)\n`,
    )
    writeResults({
      results,
      memory,
      contestants: contest.contestants.map(({ name, version }) => ({ name, version })),
      missing: contest.missing,
    })
    return results.every(({ scenario, cells }) => met(scenario, cells)) && Math.max(...memory.megabytes) <= 110 ? 0 : 1
  } finally {
    await contest.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(
  wrk: string,
  contestants: readonly Contestant[],
  scenario: Scenario,
  rounds: number,
  seconds: number,
): Promise<Cell[]> {
  const bursts = new Map<string, Burst[]>(contestants.map((contestant) => [contestant.name, []]))
  for (const contestant of contestants) await burst(wrk, contestant, scenario.scheme, scenario.path, 2) // warm-up
  for (let round = 0; round < rounds; round += 1) {
    for (const contestant of contestants)
      bursts.get(contestant.name)?.push(await burst(wrk, contestant, scenario.scheme, scenario.path, seconds))
  }
  return [...bursts].map(([proxy, runs]) => ({
    proxy,
    cpuPerRequest: median(runs.map((run) => run.cpuPerRequest)),
    requestsPerSecond: median(runs.map((run) => run.requestsPerSecond)),
    errors: runs.reduce((sum, run) => sum + run.errors, 0),
    rounds: runs,
  }))
}

async function measureMemory(wrk: string, contestant: Contestant, requests: number): Promise<{ requests: number; megabytes: number[] }> {
  const megabytes: number[] = []
  let done = 0
  for (let quarter = 1; quarter <= 4; quarter += 1) {
    const goal = (quarter * requests) / 4
    do done += (await burst(wrk, contestant, 'http', smallPath, 4)).requests
    while (done < goal)
    megabytes.push(Math.round(residentBytes(contestant.pids[0] ?? 0) / 1e5) / 10)
  }
  return { requests: done, megabytes }
}

function ratio(cells: readonly Cell[], other: string): number | undefined {
  const ours = cells.find((cell) => cell.proxy === 'gatewright')
  const theirs = cells.find((cell) => cell.proxy === other)
  return ours === undefined || theirs === undefined ? undefined : ours.cpuPerRequest / theirs.cpuPerRequest
}

function met(scenario: Scenario, cells: readonly Cell[]): boolean {
  return (
    cells.every((cell) => cell.errors === 0) &&
    Object.entries(scenario.targets).every(([other, target]) => (ratio(cells, other) ?? 0) <= target)
  )
}

function print(scenario: Scenario, cells: readonly Cell[]): void {
  process.stdout.write(`\n${scenario.name} (64 connections, CPU microseconds of the proxy a request)\n`)
  for (const cell of cells) {
    const errors = cell.errors === 0 ? '' : `  ${cell.errors} ERRORS`
    process.stdout.write(
      `  ${cell.proxy.padEnd(12)} ${cell.cpuPerRequest.toFixed(1).padStart(7)} us  ${Math.round(cell.requestsPerSecond).toString().padStart(7)} requests/s${errors}\n`,
    )
  }
  for (const [other, target] of Object.entries(scenario.targets)) {
    const value = ratio(cells, other)
    if (value !== undefined)
      process.stdout.write(`  ${value.toFixed(2)} x ${other} (target <= ${target}): ${value <= target ? 'met' : 'MISSED'}\n`)
  }
}

function writeResults(results: object): void {
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim()
  const cores = cpus()
  const file = join(root, 'bench/results', `${commit}.json`)
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  const machine = { cpu: cores[0]?.model, cores: cores.length, node: process.version, date: new Date().toISOString().slice(0, 10) }
  writeFileSync(file, `${JSON.stringify({ commit, machine, ...results }, undefined, 2)}\n`)
  process.stdout.write(`\nwritten to bench/results/${commit}.json\n`)
}

function selfSigned(folder: string): { cert: string; key: string } {
  const subject = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=bench.example.com',
    '-addext',
    'subjectAltName=DNS:bench.example.com',
  ]
  const made = spawnSync('openssl', [...subject, '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], {
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`Cannot make a certificate: openssl must end with 0, got ${made.status}\n${made.stderr}`)
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return { cert: read('cert.pem'), key: read('key.pem') }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

process.exitCode = await main()
