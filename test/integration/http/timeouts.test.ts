import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { type Respond, response } from '../../harness/scripted-backend.ts'

const h = harness()

async function scene(respond: Respond, timeouts: { readonly request?: number; readonly backendRequest?: number }) {
  const web = await h.backend(respond)
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], ...timeouts }] })
  return { web, gate, client: await h.client(gate) }
}

describe.each(['request', 'backendRequest'])('the timeout %s', (name) => {
  it('[feature:HTTPRouteRequestTimeout] [feature:HTTPRouteBackendTimeout] gives 504 when no answer has begun, ends the upstream connection, and keeps the client', async () => {
    const { web, gate, client } = await scene((request, connection) => request.line.includes('/fast') && connection.write(response('ok')), {
      [name]: 100,
    })
    expect((await client.request()).status).toBe(504)
    expect(await gate.record()).toMatchObject({ status: 504, flag: 'upstream-timeout' })
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    expect((await client.request({ target: '/fast' })).status).toBe(200)
  })

  it('[wire:exchange-request-timeout] cuts off an answer that is under way', async () => {
    const { gate, client } = await scene(
      (_request, connection) => connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'),
      { [name]: 150 },
    )
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(client.received).toMatch(/\r\n\r\n3\r\nabc\r\n$/)
    expect(await gate.record()).toMatchObject({ status: 200, flag: 'upstream-timeout' })
  })

  it('leaves an answer alone that comes in time', async () => {
    const { gate, client } = await scene((_request, connection) => setTimeout(() => connection.write(response('ok')), 50), {
      [name]: 5_000,
    })
    expect((await client.request()).status).toBe(200)
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBeLessThan(10)
    expect(await gate.record()).toMatchObject({ flag: '' })
  })
})

describe('the timeout request', () => {
  it('[wire:exchange-request-timeout] counts the time that a client takes for its body', async () => {
    const { web, client } = await scene(() => {}, { request: 150 })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
    expect((await client.answer()).status).toBe(504)
    expect(await client.closed()).toBe('end')
    expect(web.requests).toEqual([])
  })
})
