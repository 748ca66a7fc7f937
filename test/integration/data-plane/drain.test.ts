import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { freePort, gatewayConfig, httpListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'

describe('a drain', () => {
  let backend: TestBackend
  let plane: TestDataPlane
  let port: number
  const clients: RawClient[] = []

  beforeAll(async () => {
    backend = await startBackend('one')
  })
  beforeEach(async () => {
    plane = startDataPlane({ bounds: { drainTime: 200 } })
    await serve([80, 81])
    port = plane.port(80)
  })
  afterEach(async () => {
    backend.release()
    for (const client of clients.splice(0)) await client.close()
    await plane.stop()
  })
  afterAll(() => backend.stop())

  async function serve(ports: readonly number[]): Promise<void> {
    const listeners = ports.map((one) => httpListener(one))
    const one = pool('one', backend.port)
    await plane.serve(gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] }))
  }
  async function client(): Promise<RawClient> {
    const one = await RawClient.plain(port)
    clients.push(one)
    return one
  }
  /** A request that the backend holds back. */
  async function underWay(): Promise<{ one: RawClient; answer: ReturnType<RawClient['get']> }> {
    backend.hold()
    const one = await client()
    const before = backend.requests.length
    const answer = one.get('a.example')
    await backend.seen(before + 1)
    return { one, answer }
  }

  it('[wire:port-drain] of a port accepts no more, closes idle connections and lets a request end, with Connection: close', async () => {
    const idle = await client()
    await idle.get('a.example')
    const busy = await underWay()
    await serve([81])
    await idle.closed
    expect(idle.error).toBeUndefined()
    await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    backend.release()
    const answer = await busy.answer
    expect(answer).toMatchObject({ status: 200, body: 'one' })
    expect(answer.headers.get('connection')).toBe('close')
    await busy.one.closed
  })

  it('[wire:port-drain] ends at its deadline what is still under way', async () => {
    const busy = await underWay()
    const failed = expect(busy.answer).rejects.toThrow('the connection ended')
    await serve([81])
    await failed
    await expect.poll(() => plane.dataPlane.ports.length).toBe(1)
  })

  it('[wire:drain-revoked] ends when the same port comes back: what is under way goes on, and so does its connection', async () => {
    const fixed = await freePort()
    const listeners = [httpListener(80)]
    const one = pool('one', backend.port)
    const config = gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] })
    const placement = () => ({ address: '127.0.0.1', port: fixed })
    await plane.serve(config, undefined, placement)
    port = fixed
    const busy = await underWay()
    await plane.serve(gatewayConfig({ listeners: [] }), undefined, placement)
    expect(await plane.serve(config, undefined, placement)).toMatchObject({ ports: [{ listenPort: fixed }], failedPorts: [] })
    expect(plane.dataPlane.ports.length).toBe(1)
    await delay(400)
    backend.release()
    expect((await busy.answer).headers.get('connection')).not.toBe('close')
    expect(await busy.one.get('a.example')).toMatchObject({ status: 200, body: 'one' })
    const fresh = await (await client()).get('a.example')
    expect(fresh.headers.get('connection')).not.toBe('close')
  })

  it('keeps the pools of a draining port until its last request has begun', async () => {
    const begun = await client()
    begun.send('GET / HTTP/1.1\r\nHost: a.exam')
    await delay(50)
    await plane.serve(gatewayConfig({ listeners: [] }))
    begun.send('ple\r\n\r\n')
    expect(await begun.answer()).toMatchObject({ status: 200, body: 'one' })
  })

  it('of the whole data plane resolves when the last connection has closed', async () => {
    const idle = await client()
    await idle.get('a.example')
    const busy = await underWay()
    let drained = false
    const draining = plane.dataPlane.drain(5_000).then(() => {
      drained = true
    })
    await idle.closed
    expect(drained).toBe(false)
    backend.release()
    expect(await busy.answer).toMatchObject({ status: 200 })
    await draining
    expect(plane.dataPlane.ports).toEqual([])
    await expect(plane.serve(gatewayConfig({ listeners: [] }))).rejects.toThrow('Cannot apply a configuration')
  })

  it('leaves no socket and no timer behind', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length
    const other = startDataPlane()
    const listeners = [httpListener(80)]
    const one = pool('one', backend.port)
    const own = await freePort()
    await other.serve(gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] }), undefined, () => ({
      address: '127.0.0.1',
      port: own,
    }))
    const first = await RawClient.plain(own)
    await first.get('a.example')
    await other.dataPlane.drain(1_000)
    await first.closed
    await expect.poll(() => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length).toBeLessThanOrEqual(before)
    expect(other.dataPlane.runtime.counters.connections).toBe(0)
  })
})
