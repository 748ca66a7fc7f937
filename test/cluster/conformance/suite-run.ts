/** One run of the suite's program, unmodified, inside a cluster: its output goes to a file, and its tests' ends come as they happen. */
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { UNUSABLE_ADDRESS, USABLE_ADDRESS } from '../addresses.ts'
import type { Cluster } from '../cluster.ts'
import { GATEWAY_CLASS, PROFILES, implementation } from './implementation.ts'

export interface TestEnd {
  readonly name: string
  readonly result: 'PASS' | 'FAIL' | 'SKIP'
  readonly seconds: number
}

export interface SuiteRun {
  readonly status: number | null
  readonly tests: readonly TestEnd[]
}

/** `more` are further flags of the suite, as `-run-test NAME`. */
export async function runSuite(
  cluster: Cluster,
  more: readonly string[],
  files: { readonly log: string; readonly report: string },
  onEnd: (test: TestEnd) => void,
): Promise<SuiteRun> {
  const child = cluster.spawn([cluster.binaries.conformance, ...flags(files.report), ...more], { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(files.log)
  const tests: TestEnd[] = []
  child.stderr?.pipe(log, { end: false })
  if (child.stdout === null) throw new Error('Cannot run the suite: its output must be a pipe')
  child.stdout.pipe(log, { end: false })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const test = endIn(line)
    if (test === undefined) return
    tests.push(test)
    onEnd(test)
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal))
  const status = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  await new Promise((resolve) => log.end(resolve))
  return { status, tests }
}

/** No flags for features: what the GatewayClass claims is what is tested. Timeouts are the suite's own. */
function flags(report: string): readonly string[] {
  return [
    '-test.run=^TestConformance$',
    '-test.v',
    '-test.timeout=60m',
    `-gateway-class=${GATEWAY_CLASS}`,
    `-conformance-profiles=${PROFILES.join(',')}`,
    '-disable-parallel-tests',
    '-cleanup-base-resources=false',
    `-usable-address=${USABLE_ADDRESS}`,
    `-unusable-address=${UNUSABLE_ADDRESS}`,
    `-report-output=${report}`,
    ...Object.entries(implementation).map(([name, value]) => `-${name}=${value}`),
  ]
}

/** `    --- PASS: TestConformance/HTTPRouteWeight (3.21s)`: a test of the suite, not a part of one. */
export function endIn(line: string): TestEnd | undefined {
  const [, result, name, seconds] = /^\s*--- (PASS|FAIL|SKIP): TestConformance\/([^/\s]+) \(([\d.]+)s\)$/.exec(line) ?? []
  if (result === undefined || name === undefined) return undefined
  return { name, result: result as TestEnd['result'], seconds: Number(seconds) }
}
