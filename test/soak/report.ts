/** What a soak saw, as tables, and what of it is wrong. */
import type { Phase } from './soak.ts'
import { leaks, type Sample, sampleTable } from './sample.ts'

/** Columns of the table; more do not fit on a line. */
const mostColumns = 6
const mostFailures = 20

interface ClientRow {
  readonly name: string
  readonly asked: number
  readonly right: number
  readonly explained: number
  readonly failed: number
}

export interface Outcome {
  readonly before: Sample
  readonly after: Sample
  readonly phases: readonly Phase[]
  readonly exitStatus: number | null
  /** Of the gateway, what it should not have said. */
  readonly complaints: readonly string[]
}

export function report({ before, after, phases, exitStatus, complaints }: Outcome): {
  readonly lines: readonly string[]
  readonly wrong: readonly string[]
} {
  const samples = phases.at(-1)?.samples ?? []
  const every = Math.ceil(samples.length / mostColumns)
  const shown = samples.filter((_, index) => (index + 1) % every === 0)
  const clients = phases.flatMap(clientRows)
  const failures = phases.flatMap(failuresOf)
  const rude = new Map<string, number>()
  for (const { crew } of phases) for (const [name, count] of crew.rude) rude.set(name, (rude.get(name) ?? 0) + count)
  const turnedAway = sum(phases.map(({ crew }) => crew.load.tally.turnedAway))
  const lines = [
    'The gateway at rest before the load, during it, and at rest again',
    ...sampleTable(
      before,
      shown.map(([seconds, sample]) => [`${seconds} s`, sample] as const),
      after,
    ),
    '',
    `Well-behaved clients over the warm-up and the soak: ${sum(phases.map(({ changes }) => changes))} changes, ${sum(phases.map(({ deaths }) => deaths))} deaths of endpoints`,
    ...clientTable(clients),
    `${turnedAway} more found the listener gone that they came for`,
    '',
    `Rude clients: ${[...rude].map(([name, count]) => `${name} ${count}`).join(', ')}`,
  ]
  const wrong = [
    ...leaks(before, after),
    ...failures.slice(0, mostFailures),
    ...(failures.length > mostFailures ? [`and ${failures.length - mostFailures} more failures`] : []),
    ...(exitStatus === 0 ? [] : [`the gateway ended with ${exitStatus}`]),
    ...complaints.map((line) => `the gateway said: ${line}`),
  ]
  return { lines, wrong }
}

function failuresOf({ crew: { load, tallies } }: Phase): readonly string[] {
  const moved = load.staying.filter((name) => (load.tally.connections.get(name)?.size ?? 0) !== 1)
  return [
    ...load.tally.failures,
    ...[...tallies.values()].flatMap(({ failures }) => failures),
    ...moved.map((name) => `${name} had ${load.tally.connections.get(name)?.size ?? 0} connections, though its listener stayed`),
  ]
}

function clientRows({ crew: { load, tallies } }: Phase): readonly ClientRow[] {
  const { tally, tunnels, streams } = load
  const all = (name: string, asked: number): ClientRow => ({ name, asked, right: asked, explained: 0, failed: 0 })
  return [
    // Its failures name whoever they befell.
    {
      name: 'requests while all changes',
      asked: tally.requests,
      right: tally.requests - tally.failures.length,
      explained: 0,
      failed: tally.failures.length,
    },
    all(`messages over ${tunnels} WebSockets`, tally.messages),
    all(`messages over ${streams} gRPC streams`, tally.streamed),
    all('handshakes', tally.handshakes),
    ...[...tallies].map(([name, { asked, right, explained, failures }]) => ({ name, asked, right, explained, failed: failures.length })),
  ]
}

/** Rows of one name are added. */
function clientTable(rows: readonly ClientRow[]): readonly string[] {
  const names = [...new Set(rows.map(({ name }) => name))]
  const width = Math.max(...names.map((name) => name.length))
  const cell = (value: string | number): string => String(value).padStart(10)
  return [
    `${''.padEnd(width)}${['asked', 'right', 'explained', 'failed'].map(cell).join('')}`,
    ...names.map((name) => {
      const same = rows.filter((row) => row.name === name)
      const columns = (['asked', 'right', 'explained', 'failed'] as const).map((column) => sum(same.map((row) => row[column])))
      return `${name.padEnd(width)}${columns.map(cell).join('')}`
    }),
  ]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
