import { describe, expect, it } from 'vitest'
import type { FilterConfig, MirrorConfig } from '../../../src/config/filter.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import type { GatewayOptions } from '../../harness/gateway.ts'
import type { RuleSketch } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'
import { always, type Backend, type OnBytes, type Respond, response } from '../../harness/scripted-backend.ts'
import { versions } from './versions.ts'

const h = harness()

function mirror(pool: string, numerator = 1, denominator = 1): MirrorConfig {
  return { kind: 'mirror', target: { kind: 'pool', pool }, numerator, denominator }
}

interface Mirrored {
  readonly rule?: RuleSketch
  readonly filters?: readonly FilterConfig[]
  readonly backendFilters?: readonly FilterConfig[]
  readonly options?: GatewayOptions
  readonly respond?: Respond
  readonly onBytes?: OnBytes
}

/** A backend `web` and mirrors `m0` and `m1`; `respond` is how the mirrors answer. */
async function scene({ rule = {}, filters = [mirror('m0')], backendFilters = [], options = {}, respond, onBytes }: Mirrored = {}) {
  const web = await h.backend(always(response('web')))
  const mirrors = [await h.backend(respond, onBytes), await h.backend(respond, onBytes)] as const
  const gate = await h.gateway(
    {
      pools: { web: [web.port], m0: [mirrors[0].port], m1: [mirrors[1].port], none: [] },
      rules: [{ backends: ['web'], filters, backendFilters, ...rule }],
    },
    options,
  )
  return { web, mirrors, gate, counters: gate.runtime.mirrors }
}

const copies = (backend: Backend, count: number) =>
  eventually(() => backend.requests.length >= count && backend.requests, `${count} copies`)

describe.each(versions(h))('mirrors of $name requests', ({ connect }) => {
  it('[wire:mirror-copy] get method, target, Host, fields and body as the backend gets them, after the filters of rule and backend', async () => {
    const { web, mirrors, gate } = await scene({
      rule: { path: '/old' },
      filters: [
        mirror('m0'),
        { kind: 'requestHeaders', set: [{ name: 'X-Rule', value: 'set' }], add: [], remove: ['x-gone'] },
        { kind: 'rewrite', hostname: 'inner.example', path: { kind: 'prefix', value: '/new' } },
      ],
      backendFilters: [{ kind: 'requestHeaders', set: [], add: [{ name: 'X-Backend', value: 'added' }], remove: [] }],
    })
    const client = await connect(gate)
    const answer = await client.request({
      method: 'PUT',
      target: '/old/thing?q=1',
      fields: ['X-Gone: 1', 'X-Client: é'],
      body: 'the body',
    })
    expect(answer.body).toBe('web')
    const [copy] = await copies(mirrors[0], 1)
    // HTTP/2 without a length goes on in chunks, a copy never.
    const unframed = (head = '') => head.replace(/(content-length|transfer-encoding): .*\r\n/i, '')
    expect(unframed(copy?.head)).toBe(unframed(web.request.head))
    expect(copy?.line).toBe('PUT /new/thing?q=1 HTTP/1.1')
    expect(copy?.headers('host')).toEqual(['inner.example'])
    expect(copy?.headers('x-rule')).toEqual(['set'])
    expect(copy?.headers('x-backend')).toEqual(['added'])
    expect(copy?.headers('x-gone')).toEqual([])
    expect(copy?.body).toBe('the body')
  })

  it('[wire:mirror-each] are all served: those of the rule and those of the backend', async () => {
    const { web, mirrors, gate, counters } = await scene({ backendFilters: [mirror('m1')] })
    const client = await connect(gate)
    await client.request()
    await client.request()
    for (const one of mirrors) expect((await copies(one, 2)).map(({ line }) => line)).toEqual(['GET / HTTP/1.1', 'GET / HTTP/1.1'])
    expect(web.requests).toHaveLength(2)
    expect(counters).toMatchObject({ sent: 4, dropped: 0, failed: 0 })
  })

  it('[wire:mirror-share] get exactly their share of the requests, each its own', async () => {
    const { mirrors, gate, counters } = await scene({ filters: [mirror('m0', 30, 100), mirror('m1', 1, 3)] })
    const client = await connect(gate)
    for (let asked = 0; asked < 100; asked += 1) await client.request()
    await eventually(() => mirrors[0].requests.length + mirrors[1].requests.length === counters.sent, 'all copies')
    expect(mirrors[0].requests).toHaveLength(30)
    expect(Math.abs(mirrors[1].requests.length - 100 / 3)).toBeLessThan(1)
  })

  it('[wire:mirror-share] get nothing at a share of 0', async () => {
    const { mirrors, gate, counters } = await scene({ filters: [mirror('m0', 0, 100), mirror('m1')] })
    const client = await connect(gate)
    await client.request()
    await copies(mirrors[1], 1)
    expect(mirrors[0].connections).toHaveLength(0)
    expect(counters.sent).toBe(1)
  })

  it('[wire:mirror-pooled] are asked on connections that are kept', async () => {
    const { mirrors, gate } = await scene()
    const client = await connect(gate)
    for (let asked = 1; asked <= 5; asked += 1) {
      await client.request({ method: 'POST', body: 'x' })
      await copies(mirrors[0], asked)
      await eventually(() => gate.runtime.mirrors.bytes === 0, 'the end of the copy')
    }
    expect(mirrors[0].connections).toHaveLength(1)
  })

  it.each([
    ['has no endpoint', 'none', undefined],
    ['resets every connection', 'm0', (_request: unknown, { socket }: { socket: { resetAndDestroy(): void } }) => socket.resetAndDestroy()],
    ['answers no HTTP', 'm0', always('what is this?\r\n\r\n')],
    ['answers an error', 'm0', always(response('no', '500 No'))],
  ] as [string, string, Respond | undefined][])(
    '[wire:mirror-apart] change nothing for the client when one %s',
    async (_what, pool, respond) => {
      const { gate, counters } = await scene({ filters: [mirror(pool)], ...(respond && { respond }) })
      const client = await connect(gate)
      for (let asked = 0; asked < 3; asked += 1) {
        const answer = await client.request({ method: 'POST', body: 'x' })
        expect([answer.status, answer.body]).toEqual([200, 'web'])
      }
      await eventually(() => counters.bytes === 0, 'the end of the copies')
      expect(counters.sent).toBe(3)
      expect((await gate.record(2)).flag).toBe('')
    },
  )

  it('[wire:mirror-apart] hold the client back at no time, and are given up when they do not answer', async () => {
    const { gate, mirrors, counters } = await scene({ respond: () => {}, options: { bounds: { mirrorTime: 1_000 } } })
    const client = await connect(gate)
    const began = performance.now()
    for (let asked = 0; asked < 20; asked += 1) expect((await client.request()).body).toBe('web')
    expect(performance.now() - began).toBeLessThan(900)
    await copies(mirrors[0], 20)
    expect(counters.bytes).toBeGreaterThan(0)
    await eventually(() => counters.failed === 20, 'the end of their time')
    expect(counters.bytes).toBe(0)
    await eventually(() => mirrors[0].connections.every(({ ending }) => ending !== 'open'), 'the end of their connections')
  })

  it('[wire:mirror-bound] get no copy of a body beyond the bound: the backend gets it, and the copy is counted', async () => {
    const { web, mirrors, gate, counters } = await scene({ options: { bounds: { mirrorBody: 1000 } } })
    const client = await connect(gate)
    await client.request({ method: 'POST', body: 'x'.repeat(1001) })
    await client.request({ method: 'POST', body: 'x'.repeat(1000) })
    expect(web.requests.map(({ body }) => body.length)).toEqual([1001, 1000])
    expect((await copies(mirrors[0], 1)).map(({ body }) => body.length)).toEqual([1000])
    expect(counters).toMatchObject({ sent: 1, dropped: 1 })
  })

  it('[wire:mirror-bound] get no copy while all copies together hold too much', async () => {
    const { web, mirrors, gate, counters } = await scene({
      respond: () => {},
      options: { bounds: { mirrorMemory: 4000, mirrorTime: 400 } },
    })
    const client = await connect(gate)
    for (let asked = 0; asked < 4; asked += 1) await client.request({ method: 'POST', body: 'x'.repeat(1500) })
    expect(web.requests).toHaveLength(4)
    expect(counters).toMatchObject({ sent: 2, dropped: 2 })
    expect(counters.bytes).toBeLessThanOrEqual(4000)
    await copies(mirrors[0], 2)
    await eventually(() => counters.bytes === 0, 'the end of the copies')
    await client.request({ method: 'POST', body: 'again' })
    expect((await copies(mirrors[0], 3)).at(-1)?.body).toBe('again')
  })

  it('[wire:mirror-served] get no copy of what goes to no backend: a redirect, a backend that does not resolve', async () => {
    const redirect: FilterConfig = { kind: 'redirect', hostname: 'b.example', status: 302 }
    const { gate, counters } = await scene({ filters: [mirror('m0'), redirect] })
    const client = await connect(gate)
    expect((await client.request()).status).toBe(302)
    gate.update({ pools: {}, rules: [{ backends: ['web'], filters: [mirror('m0')] }] })
    expect((await client.request()).status).toBe(503)
    expect(counters.sent).toBe(0)
    expect(counters.bytes).toBe(0)
  })
})

describe('mirrors', () => {
  it('[wire:mirror-whole] get a chunked body when it is whole, with its length', async () => {
    const { web, mirrors, gate } = await scene()
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    const backend = await web.connection(0)
    await eventually(() => backend.rest.includes('abc'), 'the first chunk at the backend')
    await pause(20)
    expect(mirrors[0].connections).toHaveLength(0)
    client.send('4\r\ndefg\r\n0\r\n\r\n')
    expect((await client.answer()).status).toBe(200)
    const [copy] = await copies(mirrors[0], 1)
    expect(copy?.body).toBe('abcdefg')
    expect(copy?.headers('content-length')).toEqual(['7'])
    expect(copy?.headers('transfer-encoding')).toEqual([])
  })

  it('[wire:mirror-whole] get nothing of a body that breaks off', async () => {
    const { web, mirrors, gate, counters } = await scene()
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nabc')
    const backend = await web.connection(0)
    await eventually(() => backend.rest.includes('abc'), 'the beginning at the backend')
    client.reset()
    await eventually(() => counters.dropped === 1, 'the copy that is dropped')
    expect(counters).toMatchObject({ bytes: 0, sent: 0 })
    expect(mirrors[0].connections).toHaveLength(0)
  })

  it('[wire:mirror-copy] are not asked for a 100 of their own', async () => {
    const web = await h.backend(undefined, (connection) => {
      if (connection.rest.endsWith('\r\n\r\n') && connection.rest.includes('Expect')) connection.write('HTTP/1.1 100 Continue\r\n\r\n')
    })
    const target = await h.backend()
    const gate = await h.gateway({
      pools: { web: [web.port], m: [target.port] },
      rules: [{ backends: ['web'], filters: [mirror('m')] }],
    })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    client.send('abc')
    expect((await client.answer()).status).toBe(200)
    const [copy] = await copies(target, 1)
    expect(copy?.headers('expect')).toEqual([])
    expect(copy?.body).toBe('abc')
  })

  it('[wire:mirror-copy] are asked over HTTP/2 where they speak it', async () => {
    const web = await h.backend()
    const bodies: string[] = []
    const target = await h.http2Backend(({ stream }) => {
      let body = ''
      stream.on('data', (bytes: Buffer) => {
        body += bytes.toString()
      })
      stream.on('end', () => {
        bodies.push(body)
        stream.respond({ ':status': 500 })
        stream.end('ignored')
      })
    })
    const gate = await h.gateway({
      pools: { web: [web.port], m: [target.port] },
      h2c: ['m'],
      rules: [{ backends: ['web'], filters: [mirror('m')] }],
    })
    const client = await h.client(gate)
    await client.request({ method: 'POST', target: '/a?b', body: 'hello' })
    await client.request({ target: '/c' })
    await eventually(() => bodies.length === 2 && gate.runtime.mirrors.bytes === 0, 'the copies')
    expect(bodies.toSorted()).toEqual(['', 'hello'])
    const told = target.streams.map((copy) => [':method', ':path', ':authority', 'x-forwarded-for'].map((name) => copy.header(name)))
    expect(told).toEqual([
      ['POST', '/a?b', 'a.example', '127.0.0.1'],
      ['GET', '/c', 'a.example', '127.0.0.1'],
    ])
    expect(gate.runtime.mirrors).toMatchObject({ sent: 2, failed: 0 })
  })

  it('[wire:mirror-no-upgrade] get no copy of an upgrade', async () => {
    const switched = always('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    const web = await h.backend(switched)
    const target = await h.backend()
    const gate = await h.gateway({
      pools: { web: [web.port], m: [target.port] },
      rules: [{ backends: ['web'], filters: [mirror('m')] }],
    })
    const client = await h.client(gate)
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect((await client.answer()).status).toBe(101)
    await pause(20)
    expect(target.connections).toHaveLength(0)
    expect(gate.runtime.mirrors.sent).toBe(0)
  })
})
