/**
 * All backends of the soak, a process of their own with an IPC channel: says the ports once all of them listen, then takes
 * orders about who dies and comes back. Argument: the address on which they listen.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { startBackends } from '../load/backends.ts'
import { quietPort } from '../load/quiet-port.ts'
import { backendsOfSoak, callServicesOfSoak } from './scenery.ts'

export interface Order {
  readonly name: string
  readonly alive: boolean
}

export type Ports = readonly (readonly [string, number])[]

/** Tokens that were told to come again. */
const refusedOnce = new Set<string>()

function respond(name: string, url: URL, request: IncomingMessage, response: ServerResponse): boolean {
  if (name.startsWith('guard')) {
    const allowed = request.headers['authorization'] === 'Bearer good'
    request.resume()
    response.statusCode = allowed ? 200 : 401
    if (allowed) response.setHeader('x-edition', 'anna')
    response.end()
    return true
  }
  const token = url.searchParams.get('token') ?? ''
  if (!name.startsWith('flaky') || refusedOnce.delete(token)) return false
  refusedOnce.add(token)
  request.resume()
  response.statusCode = 503
  response.end()
  return true
}

async function main(address: string): Promise<void> {
  const backends = await startBackends(backendsOfSoak(), {
    address,
    choosePort: () => quietPort(address),
    callServices: callServicesOfSoak,
    respond,
    // Nobody asks.
    seen: () => {},
  })
  process.on('message', ({ name, alive }: Order) => void (alive ? backends.revive(name) : backends.kill(name)))
  process.on('disconnect', () => process.exit(0))
  process.send?.([...backends.ports] satisfies Ports)
}

if (process.send !== undefined) await main(process.argv[2] ?? '127.0.0.1')
