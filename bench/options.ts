/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util'

export interface Options {
  readonly rounds: number
  /** Length of a burst; wrk takes whole seconds. */
  readonly seconds: number
  /** Of the memory figure. */
  readonly requests: number
  /** One part of the run; undefined: all. */
  readonly only: string | undefined
}

export function readOptions(parts: readonly string[]): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      requests: { type: 'string', default: '1000000' },
      only: { type: 'string' },
    },
  })
  const { only } = values
  if (only !== undefined && !parts.includes(only))
    throw new Error(`Cannot measure: --only must be one of ${parts.map((name) => `'${name}'`).join(', ')}, got '${only}'`)
  return {
    rounds: count('rounds', values.rounds),
    seconds: count('seconds', values.seconds),
    requests: count('requests', values.requests),
    only,
  }
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`Cannot measure: --${name} must be a whole number above 0, got '${text}'`)
  return Number(text)
}
