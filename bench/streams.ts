/**
 * `npm run bench:streams`: what streams cost the proxy, beside nginx (module `stream`) and HAProxy (tcp mode) in one run: CPU time of the proxy's
 * process by byte, by connection and by datagram. Rounds go forwards and backwards through the proxies; the median of the ratios within the
 * rounds counts. Exits 1 when a target is missed. Options: --rounds N (5), --seconds N (3), --only echo|once|hello|udp|held.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loadCore } from './pinned-programs.ts'
import { cpuMicroseconds, residentBytes } from './process-cpu.ts'
import { measuredCommit, writeResults } from './report.ts'
import { type StreamProxy, StreamProxies, versionOf } from './streams/proxies.ts'
import { messageSize } from './streams/workload.ts'

type Kind = 'echo' | 'once' | 'hello' | 'udp'

interface Part {
  readonly kind: Kind
  readonly name: string
  /** The figure is for so many of these. */
  readonly unit: string
  readonly perCount: number
  /** At most so many times what the other one takes. */
  readonly targets: Readonly<Record<string, number>>
}

const parts: readonly Part[] = [
  {
    kind: 'echo',
    name: 'TCP, messages of 64 KiB there and back',
    unit: 'KiB passed',
    perCount: (2 * messageSize) / 1024,
    targets: { nginx: 1.5, haproxy: 1.5 },
  },
  { kind: 'once', name: 'TCP, connections for a byte', unit: 'connection', perCount: 1, targets: { nginx: 1.5, haproxy: 1.5 } },
  { kind: 'hello', name: 'TLS passed through by server name, connections', unit: 'connection', perCount: 1, targets: { haproxy: 1.5 } },
  // 0.6 times the datagrams of a core.
  { kind: 'udp', name: 'UDP, datagrams of 100 bytes', unit: 'datagram', perCount: 2, targets: { nginx: 1 / 0.6 } },
]

interface Burst {
  readonly proxy: string
  readonly cost: number
  readonly rate: number
  readonly errors: number
}

const root = join(import.meta.dirname, '../..')

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' }, only: { type: 'string' } },
  })
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
  const chosen = parts.filter(({ kind }) => values.only === undefined || values.only === kind)
  const commit = measuredCommit(root)
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-streams-'))
  chmodSync(folder, 0o755)
  const proxies = new StreamProxies(folder)
  try {
    await proxies.startBackend()
    const ours = await proxies.startGatewright(root, ['--bound', 'udp-idle-time=5000', '--bound', 'connections-per-endpoint=20000'])
    await proxies.startNginx()
    await proxies.startHaproxy()
    for (const missing of proxies.missing) print([`left out, not installed: ${missing}`])
    const results: object[] = []
    let met = true
    for (const part of chosen) {
      const bursts = await measure(part, proxies.proxies, rounds, seconds)
      const { lines, isMet, ratios } = judged(part, bursts)
      print(['', ...lines])
      results.push({ part: part.name, unit: part.unit, bursts, ratios })
      met &&= isMet
    }
    const held =
      values.only === undefined || values.only === 'held'
        ? [await hold(ours, 'hold', ours.ports.echo, 'idle TCP connections'), await hold(ours, 'hold-udp', ours.ports.udp, 'UDP sessions')]
        : []
    print(['', ...held.map(heldLine)])
    const memory = megabytes(ours)
    const versions = { nginx: versionOf('nginx'), haproxy: versionOf('haproxy') }
    const name = writeResults(root, `streams-${commit}`, { seconds, versions, results, held, memory })
    print(['', `memory after all of that: ${memory} MB`, `written to ${name}`])
    return met ? 0 : 1
  } finally {
    await proxies.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Held {
  readonly what: string
  readonly count: number
  /** Resident, MB: before, while they are held, and while as many are held again after those have gone. */
  readonly before: number
  readonly held: number
  readonly again: number
}

/** Both ends of one, and those of its backend, are descriptors; more than 20,000 are seldom allowed. */
const heldAtOnce = 8_000
/** Milliseconds: sessions end by themselves. */
const untilGone = 8_000

async function hold(proxy: StreamProxy, kind: 'hold' | 'hold-udp', port: number, what: string): Promise<Held> {
  const before = megabytes(proxy)
  const held: number[] = []
  for (let round = 0; round < 2; round += 1) {
    const load = join(import.meta.dirname, 'streams/load.js')
    const child = spawn('taskset', ['-c', loadCore, process.execPath, load, kind, String(port), String(heldAtOnce)])
    await once(child.stdout, 'data')
    held.push(megabytes(proxy))
    child.kill('SIGKILL')
    await delay(untilGone)
  }
  return { what, count: heldAtOnce, before, held: held[0] ?? 0, again: held[1] ?? 0 }
}

function heldLine({ what, count, before, held, again }: Held): string {
  const each = (((held - before) * 1e6) / count / 1024).toFixed(1)
  return `${count} ${what}: ${before} MB before, ${held} MB while held (${each} KiB each), ${again} MB with as many again after those had gone`
}

function megabytes({ pids }: StreamProxy): number {
  return Math.round((residentBytes(pids[0] ?? 0) / 1e6) * 10) / 10
}

/** Round by round. */
async function measure(
  part: Part,
  proxies: readonly StreamProxy[],
  rounds: number,
  seconds: number,
): Promise<readonly (readonly Burst[])[]> {
  // HAProxy has no datagrams.
  const able = proxies.filter(({ name }) => part.kind !== 'udp' || name !== 'haproxy')
  const all: Burst[][] = []
  for (const proxy of able) await burst(part, proxy, 1)
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? able : able.toReversed()
    const bursts: Burst[] = []
    for (const proxy of order) bursts.push(await burst(part, proxy, seconds))
    all.push(bursts)
  }
  return all
}

async function burst({ kind, perCount }: Part, { name, ports, pids }: StreamProxy, seconds: number): Promise<Burst> {
  const before = cpuMicroseconds(pids)
  const load = join(import.meta.dirname, 'streams/load.js')
  const child = spawn('taskset', ['-c', loadCore, process.execPath, load, kind, String(ports[kind]), String(seconds)])
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
  await once(child, 'close')
  const spent = cpuMicroseconds(pids) - before
  const { count, errors } = JSON.parse(output) as { readonly count: number; readonly errors: number }
  if (!(count > 0)) throw new Error(`Cannot measure ${name}: the load must get something through, got ${output}`)
  return { proxy: name, cost: spent / (count * perCount), rate: (count * perCount) / seconds, errors }
}

function judged(
  { name, unit, targets }: Part,
  rounds: readonly (readonly Burst[])[],
): { readonly lines: readonly string[]; readonly isMet: boolean; readonly ratios: Readonly<Record<string, number>> } {
  const names = [...new Set(rounds.flatMap((round) => round.map(({ proxy }) => proxy)))].sort()
  const lines = [`${name} (CPU microseconds of the proxy's process for each ${unit}, median of the rounds)`]
  let isMet = true
  const of = (proxy: string, round: readonly Burst[]): Burst | undefined => round.find((one) => one.proxy === proxy)
  for (const proxy of names) {
    const own = rounds.flatMap((round) => of(proxy, round) ?? [])
    const errors = own.reduce((sum, one) => sum + one.errors, 0)
    isMet &&= errors === 0
    const [cost, rate] = [median(own.map((one) => one.cost)), median(own.map((one) => one.rate))]
    lines.push(
      `  ${proxy.padEnd(12)} ${cost.toFixed(3).padStart(9)} us  ${rate.toFixed(0).padStart(8)}/s${errors === 0 ? '' : `  ${errors} ERRORS`}`,
    )
  }
  const ratios: Record<string, number> = {}
  for (const [other, target] of Object.entries(targets)) {
    const values = rounds.flatMap((round) => {
      const [ours, theirs] = [of('gatewright', round), of(other, round)]
      return ours === undefined || theirs === undefined ? [] : [ours.cost / theirs.cost]
    })
    if (values.length === 0) {
      lines.push(`  ? x ${other} (target <= ${target.toFixed(2)}): not measured`)
      continue
    }
    const ratio = median(values)
    ratios[other] = ratio
    isMet &&= ratio <= target
    lines.push(`  ${ratio.toFixed(2)} x ${other} (target <= ${target.toFixed(2)}): ${ratio <= target ? 'met' : 'MISSED'}`)
  }
  return { lines, isMet, ratios }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

process.exitCode = await main()
