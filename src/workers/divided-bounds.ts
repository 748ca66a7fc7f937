/** The bounds of one worker of several, such that all of them together keep to what is said of the proxy. */
import { type Bounds, boundSchema } from '../config/bounds.ts'

/** What is counted over all connections of the proxy. Everything else is about one connection, message, port of UDP or share. */
const divided = [
  'connections',
  'connectionsPerPort',
  'connectionsPerEndpoint',
  'connectionsUpstream',
  'requests',
  'memory',
  'mirrorMemory',
] as const satisfies readonly (keyof Bounds)[]

/** @returns `bounds` with each worker's part, rounded up; 0, which means another thing than none of it, stays 0 */
export function dividedBounds(bounds: Bounds, workers: number): Bounds {
  const parts = divided.map((name): [string, number] => [name, Math.max(boundSchema[name].least, Math.ceil(bounds[name] / workers))])
  return { ...bounds, ...Object.fromEntries(parts) }
}
