/** Resident memory of the proxy after many requests: how much, and whether it grows. */
import type { Contestant } from './contestants.ts'
import { burst, type Load, type Tools } from './load.ts'
import { residentBytes } from './process-cpu.ts'
import { host, smallPath } from './workload.ts'

export const mostMegabytes = 110
/** The last quarter may end so much above the first: pages come and go by a few MB. */
export const mostGrowth = 5

export interface Memory {
  readonly requests: number
  /** MB (10^6 bytes) before, and after each quarter. */
  readonly before: number
  readonly quarters: readonly number[]
  readonly errors: number
}

const load: Load = { kind: 'http1', scheme: 'http', host, path: smallPath }

export async function measureMemory(tools: Tools, contestant: Contestant, requests: number): Promise<Memory> {
  const before = megabytes(contestant)
  const quarters: number[] = []
  let done = 0
  let errors = 0
  for (let quarter = 1; quarter <= 4; quarter += 1) {
    do {
      const one = await burst(tools, contestant, load, 3)
      done += one.requests
      errors += one.errors
    } while (done < (quarter * requests) / 4)
    quarters.push(megabytes(contestant))
  }
  return { requests: done, before, quarters, errors }
}

export function memoryMet({ quarters, errors }: Memory): boolean {
  return errors === 0 && Math.max(...quarters) <= mostMegabytes && growth(quarters) <= mostGrowth
}

export function growth(quarters: readonly number[]): number {
  return (quarters.at(-1) ?? Number.NaN) - (quarters[0] ?? Number.NaN)
}

export function megabytes({ pids }: Contestant): number {
  return Math.round(residentBytes(pids[0] ?? 0) / 1e5) / 10
}
