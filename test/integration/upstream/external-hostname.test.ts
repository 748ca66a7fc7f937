import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { gatewayConfig, httpListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { NameServer } from '../../harness/name-server.ts'
import type { PoolConfig } from '../../../src/config/pool.ts'
import { createNameLookup } from '../../../src/proxy/upstream/name-lookup.ts'
import type { DataPlaneOptions } from '../../../src/proxy/data-plane.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

/** Says its address; the same port on each of the addresses. */
async function backends(...addresses: readonly string[]): Promise<number> {
  let port = 0
  for (const address of addresses) {
    const server: Server = createServer((request, response) => {
      request.resume()
      response.end(address)
    }).listen(port, address)
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
    opened.push({
      close: () =>
        new Promise((resolve) => {
          server.closeAllConnections()
          server.close(() => resolve())
        }),
    })
  }
  return port
}

async function nameServer(): Promise<NameServer> {
  const server = await NameServer.listen()
  opened.push(server)
  return server
}

function named(hostname: string, port: number): PoolConfig {
  return {
    ...pool('api'),
    key: `XBackend/default/api:${port}`,
    backend: { kind: 'XBackend', namespace: 'default', name: 'api', port },
    hostname,
  }
}

async function gateway(names: NameServer, api: PoolConfig, options: Partial<DataPlaneOptions> = {}) {
  const plane: TestDataPlane = startDataPlane({
    nameServers: [names.place],
    namesMayBeLocal: true,
    ...options,
    bounds: { nameTtlLeast: 50, nameTime: 200, ...options.bounds },
  })
  opened.push({ close: () => plane.stop() })
  const listener = httpListener(80)
  const config = gatewayConfig({ listeners: [listener], routes: [routeTo(api, [listener])], pools: [api] })
  await plane.serve(config)
  const get = async (): Promise<{ status: number; body: string }> => {
    const answer = await fetch(`http://127.0.0.1:${plane.port(80)}/`)
    return { status: answer.status, body: await answer.text() }
  }
  const state = () => plane.dataPlane.pools.find(({ pool: key }) => key === api.key)
  /** Asks until the answer is as it shall be. */
  const becomes = async (wanted: { status?: number; body?: string }): Promise<void> => {
    for (let i = 0; i < 500; i++) {
      const answer = await get()
      if ((wanted.status ?? answer.status) === answer.status && (wanted.body ?? answer.body) === answer.body) return
      await pause(10)
    }
    throw new Error(`the answer never became ${JSON.stringify(wanted)}`)
  }
  return { plane, get, becomes, state, config }
}

describe('a backend that is a name', () => {
  it('[wire:name-lookup] serves the first request after its configuration, and takes all of its addresses in turn', async () => {
    const names = await nameServer()
    const port = await backends('127.0.0.2', '127.0.0.3')
    names.zones.set('api.example.com', { addresses: ['127.0.0.2', '127.0.0.3'], ttl: 300 })
    const { get, state } = await gateway(names, named('api.example.com', port))
    const seen = new Set<string>()
    for (let i = 0; i < 30; i++) {
      const { status, body } = await get()
      expect(status).toBe(200)
      seen.add(body)
    }
    expect([...seen].sort()).toEqual(['127.0.0.2', '127.0.0.3'])
    expect(names.questions).toEqual(['A api.example.com'])
    expect(state()).toMatchObject({ hostname: 'api.example.com', endpoints: [{}, {}] })
  })

  it('[wire:name-ttl] is looked up again when its addresses have lived their time, and follows where it leads', async () => {
    const names = await nameServer()
    const port = await backends('127.0.0.2', '127.0.0.3')
    names.zones.set('api.example.com', { addresses: ['127.0.0.2'], ttl: 0 })
    const { get, becomes } = await gateway(names, named('api.example.com', port))
    expect((await get()).body).toBe('127.0.0.2')
    names.zones.set('api.example.com', { addresses: ['127.0.0.3'], ttl: 300 })
    await becomes({ body: '127.0.0.3' })
    expect(names.questions.length).toBeGreaterThan(1)
    await pause(200)
    // 300 s have begun.
    const asked = names.questions.length
    await pause(200)
    expect(names.questions).toHaveLength(asked)
  })

  it('[wire:name-absent] gets 503 while the name has no address, and serves when it has', async () => {
    const names = await nameServer()
    const port = await backends('127.0.0.2')
    const { get, becomes, state } = await gateway(names, named('api.example.com', port))
    expect(await get()).toMatchObject({ status: 503, body: expect.stringContaining('no-endpoint') })
    expect(state()).toMatchObject({ problem: 'it has no address', endpoints: [] })
    // Both families were asked for.
    expect(names.questions.slice(0, 2).sort()).toEqual(['A api.example.com', 'AAAA api.example.com'])
    names.zones.set('api.example.com', { addresses: ['127.0.0.2'] })
    await becomes({ status: 200 })
    names.zones.set('api.example.com', 'absent')
    await becomes({ status: 503 })
  })

  it.each(['failed', 'silent'] as const)('[wire:name-failed] keeps the last addresses while the server is %s', async (how) => {
    const names = await nameServer()
    const port = await backends('127.0.0.2')
    names.zones.set('api.example.com', { addresses: ['127.0.0.2'] })
    const { get, state } = await gateway(names, named('api.example.com', port), { bounds: { nameTime: 20 } })
    expect((await get()).status).toBe(200)
    names.zones.set('api.example.com', how)
    await eventually(() => state()?.problem !== undefined, 'a look that fails')
    expect((await get()).status).toBe(200)
  })

  it('[wire:name-failed] does not hold a configuration up for longer than a second', async () => {
    const names = await nameServer()
    names.zones.set('api.example.com', 'silent')
    const before = performance.now()
    const { get } = await gateway(names, named('api.example.com', 80), { bounds: { nameTime: 60_000 } })
    expect(performance.now() - before).toBeLessThan(3_000)
    expect((await get()).status).toBe(503)
  })

  it.each(['127.0.0.2', '169.254.169.254', '0.0.0.0'])('[wire:name-guard] never leads to %s in a cluster', async (address) => {
    const names = await nameServer()
    const port = await backends('127.0.0.2')
    names.zones.set('api.example.com', { addresses: [address], ttl: 300 })
    const { get, state } = await gateway(names, named('api.example.com', port), { namesMayBeLocal: false })
    expect((await get()).status).toBe(503)
    expect(state()).toMatchObject({ problem: `it must not lead to ${address}`, endpoints: [] })
  })

  it('[wire:name-lookup] is another name after a change, and the pool goes on', async () => {
    const names = await nameServer()
    const port = await backends('127.0.0.2', '127.0.0.3')
    names.zones.set('one.example.com', { addresses: ['127.0.0.2'], ttl: 300 })
    names.zones.set('two.example.com', { addresses: ['127.0.0.3'], ttl: 300 })
    const { get, plane, config } = await gateway(names, named('one.example.com', port))
    expect((await get()).body).toBe('127.0.0.2')
    await plane.serve({ ...config, pools: [named('two.example.com', port)] })
    expect((await get()).body).toBe('127.0.0.3')
  })

  it('[wire:name-failed] lets go of its questions when nobody wants to know any more', async () => {
    const names = await nameServer()
    names.zones.set('api.example.com', 'silent')
    const lookup = createNameLookup({ answerTime: 60_000, servers: [names.place] })
    const abort = new AbortController()
    const looking = lookup('api.example.com', abort.signal)
    await eventually(() => names.questions.length > 0, 'the question')
    abort.abort()
    expect((await looking).kind).toBe('failed')
  })
})
