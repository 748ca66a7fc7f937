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

/** Each filter has bursts without it beside its own, before and after by turns: a machine changes pace within a round by more than a filter costs. */
export async function measureFilters(tools: Tools, contestant: Contestant, rounds: number, seconds: number): Promise<FilterCost[]> {
  const fields = filterFields(await sessionCookie(contestant))
  const plainLoad = loadOf(plainRow, fields)
  const pairs = filterRows
    .filter((row) => row !== plainRow)
    .map((row) => ({ row, load: loadOf(row, fields), plain: new Array<Burst>(), bursts: new Array<Burst>() }))
  for (const { load } of pairs) await burst(tools, contestant, load, 1) // warm-up
  let counting: number[] = []
  for (let round = 0; counting.length < rounds && round < 2 * rounds; round += 1) {
    for (const { load, plain, bursts } of pairs) {
      const turns = [
        async () => plain.push(await burst(tools, contestant, plainLoad, seconds)),
        async () => bursts.push(await burst(tools, contestant, load, seconds)),
      ]
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
    }
    counting = undisturbed(pairs.flatMap(({ plain, bursts }) => [plain, bursts]))
  }
  const kept = pairs.map(({ row, plain, bursts }) => ({ row, plain: chosen(plain, counting), bursts: chosen(bursts, counting) }))
  const without = kept.flatMap(({ plain }) => plain)
  return [costOf(plainRow, without, without), ...kept.map(({ row, plain, bursts }) => costOf(row, plain, bursts))]
}

function chosen(bursts: readonly Burst[], rounds: readonly number[]): Burst[] {
  return bursts.filter((_, round) => rounds.includes(round))
}

function costOf(row: FilterRow, plain: readonly Burst[], bursts: readonly Burst[]): FilterCost {
  const added = median(bursts.map((run, round) => run.cpuPerRequest / (plain[round]?.cpuPerRequest ?? Number.NaN))) - 1
  const errors = errorsOf(bursts)
  const met = errors === 0 && (row.most === undefined || added <= row.most)
  return { row, cpuPerRequest: medians(bursts).cpuPerRequest, added, errors, met, rounds: bursts }
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
