import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { pause } from '../../harness/eventually.ts'
import type { GatewayOptions } from '../../harness/gateway.ts'
import { harness } from '../../harness/harness.ts'
import type { ReceivedStream, RespondTo } from '../../harness/http2-backend.ts'

const h = harness()
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function scene(respond?: RespondTo, server?: object, options: GatewayOptions = {}) {
  const web = await h.http2Backend(respond, server)
  const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, options)
  return { web, gate }
}

/** The request's body, once it is whole. */
function echo({ stream }: ReceivedStream): void {
  let body = ''
  stream.on('data', (bytes: Buffer) => {
    body += bytes.toString('latin1')
  })
  stream.on('end', () => {
    if (stream.destroyed) return
    stream.respond({ ':status': 200 })
    stream.end(body, 'latin1')
  })
}

describe('a backend of HTTP/2 that takes little', () => {
  it.each([1, 3])(
    '[wire:h2-upstream-settings] %i requests at a time: as many come at once as like, with bodies, and all are served',
    async (limit) => {
      const { web, gate } = await scene(echo, { settings: { maxConcurrentStreams: limit } })
      const client = await h.http2(gate)
      const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => client.request({ method: 'POST', body: `body ${i}` })))
      expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(Array.from({ length: 12 }, (_, i) => `200 body ${i}`))
      expect(web.streams).toHaveLength(12)
      expect(web.sessions.length).toBeGreaterThanOrEqual(12 / limit)
    },
  )

  it('[wire:h2-upstream-settings] one request at a time: one that hangs holds up no other', async () => {
    const { gate } = await scene((received) => void (received.header(':path') === '/hangs' || echo(received)), {
      settings: { maxConcurrentStreams: 1 },
    })
    const client = await h.http2(gate)
    const hangs = client.open({ target: '/hangs' }, true)
    const answers = await Promise.all([1, 2, 3].map(() => client.request()))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    hangs.destroy()
  })

  it('[wire:h2-upstream-settings] that connects and says nothing is no backend: 504 after the time for a connection', async () => {
    const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    servers.push(server)
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const gate = await h.gateway({ pools: { web: [port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, { bounds: { connectTime: 300 } })
    expect((await (await h.http2(gate)).request({ method: 'POST', body: 'x' })).status).toBe(504)
  })
})

describe('a backend of HTTP/2 that did not process a request', () => {
  it.each(['client', 'http2'] as const)('[wire:h2-refused-stream] gets it again with its body, from a %s', async (version) => {
    const { web, gate } = await scene((received) => (web.streams.length === 1 ? received.stream.close(7) : echo(received)))
    expect(await (await h[version](gate)).request({ method: 'POST', body: 'hello' })).toMatchObject({ status: 200, body: 'hello' })
    expect(web.streams).toHaveLength(2)
  })

  it('[wire:h2-refused-stream] gets it again with what still comes of its body', async () => {
    const { web, gate } = await scene((received) => {
      if (web.streams.length > 1) return echo(received)
      received.stream.once('data', () => received.stream.close(7))
    })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    await expect.poll(() => web.streams.length).toBe(2)
    client.send('6\r\n world\r\n0\r\n\r\n')
    expect(await client.answer()).toMatchObject({ status: 200, body: 'hello world' })
  })

  it('[wire:h2-refused-stream] does not get it again when its body was longer than what is kept, or a second time', async () => {
    const long = await scene(({ stream }) => {
      stream.resume()
      stream.on('end', () => stream.close(7))
    })
    expect((await (await h.http2(long.gate)).request({ method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(502)
    expect(long.web.streams).toHaveLength(1)
    const always = await scene(({ stream }) => stream.close(7))
    expect((await (await h.http2(always.gate)).request({ method: 'POST', body: 'x' })).status).toBe(502)
    expect(always.web.streams).toHaveLength(2)
  })

  it('[wire:h2-goaway] says so with GOAWAY: what is above its last stream goes to a new connection, what is below ends', async () => {
    const { web, gate } = await scene((received) => {
      if (web.streams.length === 2) received.stream.session?.goaway(0, 1)
      if (web.streams.length !== 1) return web.sessions.length > 1 ? echo(received) : undefined
      setTimeout(() => echo(received), 200)
    })
    const client = await h.http2(gate)
    const below = client.request({ method: 'POST', body: 'below' })
    await expect.poll(() => web.streams.length).toBe(1)
    await pause(20)
    const above = client.request({ method: 'POST', body: 'above' })
    expect((await Promise.all([below, above])).map(({ status, body }) => `${status} ${body}`)).toEqual(['200 below', '200 above'])
    expect(web.sessions).toHaveLength(2)
  })

  it('[wire:h2-refused-stream] gets it again after an authorisation server has read its body', async () => {
    const web = await h.http2Backend((received) => (web.streams.length === 1 ? received.stream.close(7) : echo(received)))
    const auth = await h.backend()
    const filter = { kind: 'externalAuth', protocol: 'http', target: { kind: 'pool', pool: 'auth' }, pathPrefix: '', maxBody: 100 } as const
    const gate = await h.gateway({
      pools: { web: [web.port], auth: [auth.port] },
      h2c: ['web'],
      rules: [{ backends: ['web'], filters: [{ ...filter, requestHeaders: [], responseHeaders: [] }] }],
    })
    expect(await (await h.http2(gate)).request({ method: 'POST', body: 'hello' })).toMatchObject({ status: 200, body: 'hello' })
  })
})
