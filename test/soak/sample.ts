/** What is seen of the gateway's process at one moment, and what of it must come back to where it was. */
export interface Sample {
  /** File descriptors. */
  readonly files: number
  readonly sockets: number
  /** Those that keep the process alive. */
  readonly timers: number
  /** MiB. */
  readonly heap: number
  /** MiB. */
  readonly resident: number
  /** Of clients. */
  readonly connections: number
  /** Under way. */
  readonly requests: number
  readonly tunnels: number
  readonly upstreamConnections: number
  readonly upstreamRequests: number
}

interface Row {
  readonly name: string
  readonly of: keyof Sample
  /** What may be more after the load than before it. */
  readonly growth: number
  readonly digits: number
}

export const rows: readonly Row[] = [
  { name: 'open files', of: 'files', growth: 0, digits: 0 },
  { name: 'sockets', of: 'sockets', growth: 0, digits: 0 },
  { name: 'timers', of: 'timers', growth: 0, digits: 0 },
  { name: 'heap after collection, MiB', of: 'heap', growth: 3, digits: 1 },
  // Pages that the allocator keeps: they come and go with the load, and are not given back at once.
  { name: 'resident memory, MiB', of: 'resident', growth: 25, digits: 0 },
  { name: "clients' connections", of: 'connections', growth: 0, digits: 0 },
  { name: 'requests and streams', of: 'requests', growth: 0, digits: 0 },
  { name: 'tunnels', of: 'tunnels', growth: 0, digits: 0 },
  { name: 'upstream connections', of: 'upstreamConnections', growth: 0, digits: 0 },
  { name: 'upstream requests', of: 'upstreamRequests', growth: 0, digits: 0 },
]

/** Nothing is under way, and idle upstream connections are gone. */
export function isAtRest({ connections, requests, tunnels, upstreamConnections, upstreamRequests }: Sample): boolean {
  return connections + requests + tunnels + upstreamConnections + upstreamRequests === 0
}

export function leaks(before: Sample, after: Sample): readonly string[] {
  return rows
    .filter(({ of, growth }) => after[of] > before[of] + growth)
    .map(({ name, of, digits }) => `${name}: ${before[of].toFixed(digits)} before the load, ${after[of].toFixed(digits)} after it`)
}

/** One column for each sample that is shown, before and after at its ends. */
export function sampleTable(before: Sample, during: readonly (readonly [string, Sample])[], after: Sample): readonly string[] {
  const columns: readonly (readonly [string, Sample])[] = [['before', before], ...during, ['after', after]]
  const width = Math.max(...rows.map(({ name }) => name.length))
  const cell = (text: string): string => text.padStart(8)
  return [
    `${''.padEnd(width)}${columns.map(([title]) => cell(title)).join('')}   may grow by`,
    ...rows.map(({ name, of, growth, digits }) => {
      const values = columns.map(([, sample]) => cell(sample[of].toFixed(digits))).join('')
      const verdict = after[of] > before[of] + growth ? 'LEAKED' : 'ok'
      return `${name.padEnd(width)}${values}${String(growth).padStart(6)}  ${verdict}`
    }),
  ]
}
