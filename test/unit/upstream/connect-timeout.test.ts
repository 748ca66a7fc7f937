import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../src/config/bounds.ts'
import { createSocketBuffers } from '../../../src/proxy/byte-socket.ts'
import { Sweep } from '../../../src/proxy/sweep.ts'
import type { UpstreamUser } from '../../../src/proxy/upstream/connection.ts'
import type { UpstreamFailure } from '../../../src/proxy/upstream/failure.ts'
import { PoolRegistry } from '../../../src/proxy/upstream/registry.ts'

class User implements UpstreamUser {
  readonly failures: UpstreamFailure[] = []
  onUpstreamReady(): void {}
  onUpstreamInformational(): void {}
  onUpstreamHead(): void {}
  onUpstreamSwitched(): void {}
  onUpstreamBody(): void {}
  onUpstreamEnd(): void {}
  onUpstreamTunnelEnd(): void {}
  onUpstreamFlush(): void {}
  onUpstreamDrain(): void {}
  onUpstreamFailed(failure: UpstreamFailure): void {
    this.failures.push(failure)
  }
}

describe('a connection to an endpoint', () => {
  let server: Server
  let port = 0

  beforeAll(async () => {
    server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  afterAll(() => {
    server.close()
  })

  it('that is not there in time is given up, told once, and weighs on its endpoint', async () => {
    let now = 0
    const sweep = new Sweep(() => now)
    const pools = new PoolRegistry({
      bounds: { ...defaultBounds, connectTime: 5_000 },
      sweep,
      random: () => 0,
      buffers: createSocketBuffers(),
      connections: { open: 0, most: 100 },
    })
    const backend = { kind: 'Service', namespace: 'test', name: 'web', port: 80 }
    pools.update([{ key: 'web', backend, protocol: 'http', endpoints: [{ address: '127.0.0.1', port, state: 'ready' }] }])
    const pool = pools.get('web')
    const user = new User()
    const connection = pool?.acquire(user, undefined, false)
    if (typeof connection !== 'object') throw new Error('a connection must have begun')
    expect(connection.endpoint).toMatchObject({ active: 1, connections: 1 })
    now = 4_999
    sweep.advance()
    expect(user.failures).toEqual([])
    // The event loop has not turned: as far as the process knows, nobody has answered.
    now = 5_500
    sweep.advance()
    expect(user.failures).toEqual(['connect-timeout'])
    expect(connection.endpoint).toMatchObject({ active: 0, connections: 0 })
    expect(connection.endpoint.load(now)).toBe(10)
    expect(pool?.counters).toMatchObject({ requests: 1, connectionsOpened: 1, connectFailures: 1, failures: 0 })
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
    expect(user.failures).toHaveLength(1)
  })
})
