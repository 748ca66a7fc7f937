import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('endpoints', () => {
  it('[wire:exchange-connect-retry] that refuse connections are passed over before the client hears of it', async () => {
    const web = await h.backend()
    const gate = await h.gateway({ pools: { web: [await closedPort(), await closedPort(), web.port] }, rules: [{ backends: ['web'] }] })
    const client = await h.client(gate)
    for (let i = 0; i < 20; i++) expect((await client.request({ method: 'POST', body: `${i}` })).status).toBe(200)
    expect(web.requests.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
  })

  it('[wire:exchange-connect-retry] that all refuse connections give 502', async () => {
    const gate = await h.gateway({ pools: { web: [await closedPort(), await closedPort()] }, rules: [{ backends: ['web'] }] })
    const client = await h.client(gate)
    expect((await client.request()).status).toBe(502)
    expect((await client.request({ method: 'POST', body: 'x' })).status).toBe(502)
    expect(await gate.record()).toMatchObject({ status: 502, flag: 'connect-failed', attempts: 2 })
  })

  it('share requests by their load', async () => {
    const slow = await h.backend(() => {})
    const fast = await h.backend()
    const gate = await h.gateway({ pools: { web: [slow.port, fast.port] }, rules: [{ backends: ['web'] }] })
    const clients = await Promise.all(Array.from({ length: 10 }, () => h.client(gate)))
    for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => slow.requests.length + fast.requests.length === 10, 'all requests')
    expect(slow.requests.length).toBeLessThan(7)
    expect(slow.requests.length).toBeGreaterThan(0)
  })

  it('that are terminating serve only while none is ready', async () => {
    const [ready, leaving] = [await h.backend(), await h.backend()]
    const serving = { address: '127.0.0.1', port: leaving.port, state: 'serving' } as const
    const rules = [{ backends: ['web'] }]
    const gate = await h.gateway({ pools: { web: [ready.port, serving] }, rules })
    const client = await h.client(gate)
    for (let i = 0; i < 10; i++) await client.request()
    expect([ready.requests.length, leaving.requests.length]).toEqual([10, 0])
    gate.update({ pools: { web: [serving] }, rules })
    expect((await client.request()).status).toBe(200)
    expect(leaving.requests).toHaveLength(1)
  })

  it('that stay keep their connections when others come and go', async () => {
    const [stays, goes] = [await h.backend(), await h.backend()]
    const rules = [{ backends: ['web'] }]
    const gate = await h.gateway({ pools: { web: [stays.port] }, rules })
    const client = await h.client(gate)
    await client.request()
    for (let i = 0; i < 5; i++) {
      gate.update({ pools: { web: [stays.port, goes.port] }, rules })
      gate.update({ pools: { web: [stays.port] }, rules })
      await client.request()
    }
    expect(stays.connections).toHaveLength(1)
  })

  it('that go end what is under way, and are used no more', async () => {
    const goes = await h.backend((_request, connection) => setTimeout(() => connection.write(response('last')), 80))
    const gate = await h.gateway({ pools: { web: [goes.port] }, rules: [{ backends: ['web'] }] })
    const client = await h.client(gate)
    const answer = client.request()
    await eventually(() => goes.requests.length === 1, 'the request')
    gate.update({ pools: { web: [] }, rules: [{ backends: ['web'] }] })
    expect((await answer).body).toBe('last')
    await eventually(() => goes.connections[0]?.ending === 'end', 'the end of the connection')
    expect((await client.request()).status).toBe(503)
  })

  it('[wire:exchange-endpoint-limit] have a bound of connections; beyond it requests get 503', async () => {
    const web = await h.backend(() => {})
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds: { connectionsPerEndpoint: 2 } })
    const clients = await Promise.all(Array.from({ length: 3 }, () => h.client(gate)))
    for (const client of clients.slice(0, 2)) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => web.requests.length === 2, 'two requests')
    expect((await clients[2]?.request())?.status).toBe(503)
    expect(await gate.record()).toMatchObject({ flag: 'overload' })
  })

  it('weights choose the backend', async () => {
    const [one, two] = [await h.backend(), await h.backend()]
    const share = (pool: string, weight: number) => ({ kind: 'pool', pool, weight, filters: [] }) as const
    const gate = await h.gateway({ pools: { one: [one.port], two: [two.port] }, rules: [{ backends: [share('one', 9), share('two', 1)] }] })
    const client = await h.client(gate)
    for (let i = 0; i < 40; i++) await client.request()
    expect([one.requests.length, two.requests.length]).toEqual([36, 4])
  })
})
