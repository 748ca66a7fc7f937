/** The command line of `npm run soak`. */
import { parseArgs } from 'node:util'

export interface Options {
  /** Milliseconds of load that count; the warm-up comes before. */
  readonly time: number
  readonly warmUp: number
  /** Of the order of changes and of the mixture of requests. */
  readonly seed: number
}

const second = 1_000
const shortest = 10

export function readOptions(): Options {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string', default: '1' } },
  })
  const { minutes, seconds } = values
  if (minutes !== undefined && seconds !== undefined)
    throw new Error('Cannot soak: name the length with --minutes or with --seconds, got both')
  const length = minutes !== undefined ? number('minutes', minutes) * 60 : number('seconds', seconds ?? '300')
  if (length < shortest) throw new Error(`Cannot soak: the length must be ${shortest} s or more, got ${length} s`)
  return { time: length * second, warmUp: Math.min(60, Math.max(10, length / 5)) * second, seed: number('seed', values.seed) }
}

function number(name: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) <= 0) throw new Error(`Cannot soak: --${name} must be a number above 0, got '${text}'`)
  return Number(text)
}
