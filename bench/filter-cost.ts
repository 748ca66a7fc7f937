/** What each filter adds to the small GET, within one process: the same request through rules that differ by the filter. */
import type { Contestant } from './contestants.ts'
import { filterFields, filterHost, type FilterRow, filterRows, plainRow } from './filter-rows.ts'
import { burst, type Burst, type Load, type Tools } from './load.ts'
import { ask } from './same-work.ts'
import { errorsOf, median, medians, undisturbed } from './scenario.ts'
import { headerName, headerValue, smallBody } from './workload.ts'

export interface FilterCost {
  readonly row: FilterRow
  readonly cpuPerRequest: number
  /** As a part of what the GET costs without the filter: the median over the rounds. */
  readonly added: number
  readonly errors: number
  readonly met: boolean
  readonly rounds: readonly Burst[]
}

/** Each round begins where the last one ended, so that a machine that slows down does not always slow down the same filter. */
export async function measureFilters(tools: Tools, contestant: Contestant, rounds: number, seconds: number): Promise<FilterCost[]> {
  const fields = filterFields(await sessionCookie(contestant))
  const runs = filterRows.map((row) => ({ row, load: loadOf(row, fields), bursts: new Array<Burst>() }))
  for (const { load } of runs) await burst(tools, contestant, load, 1) // warm-up
  let counting: number[] = []
  for (let round = 0; counting.length < rounds && round < 2 * rounds; round += 1) {
    for (const { load, bursts } of round % 2 === 0 ? runs : runs.toReversed()) bursts.push(await burst(tools, contestant, load, seconds))
    counting = undisturbed(runs.map(({ bursts }) => bursts))
  }
  const kept = runs.map(({ row, bursts }) => ({ row, bursts: bursts.filter((_, round) => counting.includes(round)) }))
  const plain = kept.find(({ row }) => row === plainRow)?.bursts ?? []
  return kept.map(({ row, bursts }) => {
    const added = median(bursts.map((run, round) => run.cpuPerRequest / (plain[round]?.cpuPerRequest ?? Number.NaN))) - 1
    const errors = errorsOf(bursts)
    const met = errors === 0 && (row.most === undefined || added <= row.most)
    return { row, cpuPerRequest: medians(bursts).cpuPerRequest, added, errors, met, rounds: bursts }
  })
}

function loadOf({ prefix }: FilterRow, fields: Readonly<Record<string, string>>): Load {
  return { kind: 'http1', scheme: 'http', host: filterHost, path: `${prefix}/item`, fields }
}

/** Of a first request; checks on the way that every rule answers, and that the filters do what they are measured for. */
async function sessionCookie({ ports }: Contestant): Promise<string> {
  const headers = { host: filterHost, [headerName]: headerValue, origin: filterFields('').origin ?? '' }
  let cookie = ''
  for (const { name, prefix } of filterRows) {
    const reply = await ask('http', ports.http, `${prefix}/item`, headers)
    if (reply.status !== 200 || reply.body !== smallBody)
      throw new Error(`Cannot measure '${name}': the rule must answer 200, got ${reply.status} ${reply.body}`)
    cookie = reply.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie
  }
  if (cookie === '') throw new Error('Cannot measure sessions: an answer must bear Set-Cookie, got none')
  return cookie
}
