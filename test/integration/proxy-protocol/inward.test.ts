/** Connections of proxies that say whom they are for (PROXY protocol), on every kind of listener. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Bounds } from '../../../src/config/bounds.ts'
import { parseCidr } from '../../../src/lib/cidr.ts'
import type { DataPlaneOptions } from '../../../src/proxy/data-plane.ts'
import { dataPlaneMetrics } from '../../../src/proxy/metrics.ts'
import type { AccessRecord } from '../../../src/telemetry/access-record.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { startBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { helloOf } from '../../harness/client-hello.ts'
import { gatewayConfig, httpListener, httpsListener, pool, routeTo, type TestDataPlane } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { Http2Client } from '../../harness/http2-client.ts'
import { header1, header2, proxyAddress, proxyRanges, sendByteByByte, tlsViaProxy, viaProxy } from '../../harness/proxied.ts'
import { RawClient } from '../../harness/raw-client.ts'
import {
  echo,
  passthrough,
  startPlane,
  streamBackend,
  StreamClient,
  streamListener,
  streamPool,
  streamRoute,
  terminated,
} from '../../harness/streams.ts'

const authority = createTestAuthority()
const [web, mail] = [authority.issue('web.example'), authority.issue('mail.example')]
const request = 'GET / HTTP/1.1\r\nHost: web.example\r\n\r\n'

const listeners = {
  http: httpListener(80),
  https: httpsListener(443, 'web.example', [web]),
  passes: streamListener('TLS', 443, { ...passthrough, hostname: 'db.example' }),
  ends: streamListener('TLS', 443, { ...terminated(mail), hostname: 'mail.example' }),
  tcp: streamListener('TCP', 5432),
}

interface Scene {
  readonly plane: TestDataPlane
  readonly requests: readonly string[]
  readonly records: readonly AccessRecord[]
  readonly logged: string[]
  readonly streams: Awaited<ReturnType<typeof streamBackend>>
  /** Samples of the metric that have a value above 0. */
  readonly refused: () => Promise<readonly string[]>
}

/** Every kind of listener; `serve` is the backend of streams. */
async function scene(options: Partial<DataPlaneOptions> = {}, serve: (socket: Socket) => void = echo): Promise<Scene> {
  const backend = await startBackend('ok')
  onTestFinished(() => backend.stop())
  const streams = await streamBackend(serve)
  const records: AccessRecord[] = []
  const logged: string[] = []
  const plane = startPlane({
    acceptProxyProtocol: proxyRanges,
    accessLog: (record) => records.push(record),
    logger: createLogger({ level: 'info', format: 'json', write: (line) => logged.push(line) }),
    ...options,
  })
  const [requests, db] = [pool('web', backend.port), streamPool('db', [streams.port])]
  const all = Object.values(listeners)
  const report = await plane.serve(
    gatewayConfig({
      listeners: all,
      routes: [routeTo(requests, [listeners.http, listeners.https])],
      streams: [
        streamRoute('passthrough', 'passes', [listeners.passes], [db], ['db.example']),
        streamRoute('terminate', 'ends', [listeners.ends], [db], ['mail.example']),
        streamRoute('tcp', 'tcp', [listeners.tcp], [db]),
      ],
      pools: [requests, db],
      certificates: [web.config, mail.config],
    }),
    keysOf(web, mail),
  )
  expect(report.failedPorts).toEqual([])
  return {
    plane,
    requests: backend.requests,
    records,
    logged,
    streams,
    refused: async () => {
      const text = await createMetrics(dataPlaneMetrics(plane.dataPlane)).text()
      return text.split('\n').filter((line) => line.startsWith('gatewright_proxy_headers_refused_total{') && !line.endsWith(' 0'))
    },
  }
}

const bounds = (more: Partial<Bounds>): Partial<DataPlaneOptions> => ({ bounds: more })

/** Whether it ended without a byte for the client. */
async function endsSilently(socket: Socket, within?: number): Promise<boolean> {
  const client = new StreamClient(socket)
  await eventually(() => client.closed || client.ended, 'the end', within)
  return client.received.length === 0
}

function forwardedFor(head: string | undefined): string | undefined {
  return /^x-forwarded-for: (.*)$/im.exec(head ?? '')?.[1]
}

describe('[wire:proxy-header-client] the client that a header names is the client', () => {
  it.each([
    ['version 1', header1],
    ['version 2', header2],
  ])('for requests of HTTP/1.1, in %s', async (_name, header) => {
    const { plane, requests, records } = await scene()
    const client = new RawClient(await viaProxy(plane.port(80), Buffer.concat([header, Buffer.from(request)])))
    expect(await client.answer()).toMatchObject({ status: 200, body: 'ok' })
    expect(await client.get('web.example', '/again')).toMatchObject({ status: 200 })
    expect(requests.map(forwardedFor)).toEqual(['192.0.2.7', '192.0.2.7'])
    await eventually(() => records.length === 2, 'two lines')
    expect(records.map(({ client: from }) => from)).toEqual(['192.0.2.7', '192.0.2.7'])
  })

  it('for requests over TLS', async () => {
    const { plane, requests } = await scene()
    for (const header of [header1, header2]) {
      const socket = await tlsViaProxy(plane.port(443), header, { ca: authority.certificate, servername: 'web.example' })
      expect(await new RawClient(socket).get('web.example')).toMatchObject({ status: 200 })
    }
    expect(requests.map(forwardedFor)).toEqual(['192.0.2.7', '192.0.2.7'])
  })

  it('for requests of HTTP/2, by prior knowledge and over TLS', async () => {
    const { plane, requests, records } = await scene()
    const clear = await viaProxy(plane.port(80), header2)
    const secure = await tlsViaProxy(plane.port(443), header1, {
      ca: authority.certificate,
      servername: 'web.example',
      ALPNProtocols: ['h2'],
    })
    for (const [socket, scheme] of [
      [clear, 'http'],
      [secure, 'https'],
    ] as const) {
      const client = await Http2Client.connect(plane.port(80), scheme, { createConnection: () => socket })
      expect(await client.request({ host: 'web.example' })).toMatchObject({ status: 200, body: 'ok' })
      await client.close()
    }
    expect(requests.map(forwardedFor)).toEqual(['192.0.2.7', '192.0.2.7'])
    expect(records.map(({ client, protocol }) => `${client} ${protocol}`)).toEqual(['192.0.2.7 HTTP/2', '192.0.2.7 HTTP/2'])
  })

  it('for streams: TCP, TLS that passes through, and TLS that ends', async () => {
    const { plane, records, streams } = await scene({}, (socket) => socket.once('data', (bytes: Buffer) => socket.end(`${bytes.length}`)))
    const tcp = new StreamClient(await viaProxy(plane.port(5432), Buffer.concat([header1, Buffer.from('hello')])))
    await tcp.hears('5')
    const hello = await helloOf({ servername: 'db.example' })
    const passed = new StreamClient(await viaProxy(plane.port(443), Buffer.concat([header2, hello])))
    await passed.hears(`${hello.length}`)
    const ended = new StreamClient(await tlsViaProxy(plane.port(443), header2, { ca: authority.certificate, servername: 'mail.example' }))
    ended.socket.write('dear')
    await ended.hears('4')
    for (const one of [tcp, passed, ended]) one.socket.end()
    await eventually(() => records.length === 3, 'three lines')
    expect(records.map(({ client, protocol }) => `${client} ${protocol}`).sort()).toEqual([
      '192.0.2.7 TCP',
      '192.0.2.7 TCP',
      '192.0.2.7 TLS',
    ])
    expect(streams.connections).toHaveLength(3)
  })

  it('by whom X-Forwarded-For is believed or not', async () => {
    const trusted = [parseCidr('192.0.2.0/24'), parseCidr(proxyAddress)].filter((range) => range !== undefined)
    const { plane, requests } = await scene({ trusted })
    const said = 'GET / HTTP/1.1\r\nHost: web.example\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n'
    const other = Buffer.from(`PROXY TCP4 198.51.100.1 198.51.100.9 1 2\r\n`)
    for (const header of [header1, other]) {
      await new RawClient(await viaProxy(plane.port(80), Buffer.concat([header, Buffer.from(said)]))).answer()
    }
    expect(requests.map(forwardedFor)).toEqual(['203.0.113.1, 192.0.2.7', '198.51.100.1'])
  })

  it.each([
    ['IPv6', Buffer.from('PROXY TCP6 2001:DB8:0::7 2001:db8::9 1 2\r\n'), '2001:db8::7'],
    ['IPv4 that is mapped', Buffer.from('PROXY TCP6 ::ffff:192.0.2.8 ::ffff:198.51.100.9 1 2\r\n'), '192.0.2.8'],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), proxyAddress],
    ['LOCAL', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), proxyAddress],
    ['a UNIX socket', Buffer.from(`0d0a0d0a000d0a515549540a213100d8${'2f'.repeat(216)}`, 'hex'), proxyAddress],
  ])('[wire:proxy-header-ends] of %s', async (_name, header, expected) => {
    const { plane, requests } = await scene()
    await new RawClient(await viaProxy(plane.port(80), Buffer.concat([header, Buffer.from(request)]))).answer()
    expect(requests.map(forwardedFor)).toEqual([expected])
  })
})

describe('a request behind a header', () => {
  it('is answered when the client ends with it, and so are all that come at once', async () => {
    const { plane, requests } = await scene()
    const socket = await viaProxy(plane.port(80))
    const client = new StreamClient(socket)
    socket.end(Buffer.concat([header2, Buffer.from(request.repeat(3))]))
    await eventually(() => client.closed, 'the end')
    expect(client.text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3)
    expect(requests.map(forwardedFor)).toEqual(Array(3).fill('192.0.2.7'))
  })

  it('may have a body of any length', async () => {
    const { plane } = await scene()
    const body = Buffer.alloc(4 * 1024 * 1024, 1)
    const head = `POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: ${body.length}\r\n\r\n`
    const client = new RawClient(await viaProxy(plane.port(80), Buffer.concat([header1, Buffer.from(head), body])))
    expect(await client.answer()).toMatchObject({ status: 200 })
  })
})

describe('[wire:proxy-header-pieces] a header that comes byte by byte, with what follows it', () => {
  it('reads as one that comes whole, on every listener', async () => {
    const { plane, requests, records } = await scene()
    for (const header of [header1, header2]) {
      const socket = await viaProxy(plane.port(80))
      const client = new RawClient(socket)
      await sendByteByByte(socket, Buffer.concat([header, Buffer.from(request)]))
      expect(await client.answer()).toMatchObject({ status: 200 })

      const tcp = new StreamClient(await viaProxy(plane.port(5432)))
      await sendByteByByte(tcp.socket, Buffer.concat([header, Buffer.from('hello')]))
      await tcp.hears('hello')

      const hello = await helloOf({ servername: 'db.example' })
      const passed = new StreamClient(await viaProxy(plane.port(443)))
      await sendByteByByte(passed.socket, Buffer.concat([header, hello]))
      await eventually(() => passed.received.equals(hello), 'the hello back')
      for (const one of [tcp, passed]) one.socket.end()
    }
    expect(requests.map(forwardedFor)).toEqual(['192.0.2.7', '192.0.2.7'])
    await eventually(() => records.length === 6, 'six lines')
    expect(new Set(records.map(({ client }) => client))).toEqual(new Set(['192.0.2.7']))
  })

  it('hands on all that comes with it, and more than that', async () => {
    const { plane } = await scene()
    const much = Buffer.alloc(1024 * 1024, 'PROXY TCP4 ')
    const client = new StreamClient(await viaProxy(plane.port(5432), Buffer.concat([header2, much])))
    await eventually(() => client.received.length === much.length, 'all of it back')
    expect(client.received.equals(much)).toBe(true)
  })

  it('may end with the header, and with it the connection', async () => {
    const { plane } = await scene({}, (socket) => socket.on('end', () => socket.end('heard the end')).resume())
    const client = new StreamClient(await viaProxy(plane.port(5432)))
    client.socket.end(header1)
    await client.hears('heard the end')
  })

  it('holds back who sends more than the backend takes, as without one', async () => {
    const { plane } = await scene({}, (socket) => socket.pause())
    const client = new StreamClient(await viaProxy(plane.port(5432), header1))
    for (let i = 0; i < 48; i++) client.socket.write(Buffer.alloc(1024 * 1024, i))
    await pause(500)
    const [stream] = plane.dataPlane.routers.get('default/test')?.streams.filter(({ config }) => config.kind === 'tcp') ?? []
    expect(stream?.counters.sent).toBeGreaterThan(0)
    expect(stream?.counters.sent).toBeLessThan(24 * 1024 * 1024)
  })

  it('is not read on while its backend is connected to', async () => {
    const { plane, streams } = await scene(bounds({ connectTime: 60_000 }), (socket) => socket.resume())
    // A backend that answers no handshake.
    const tls = { serverName: 'db.example', authorities: { kind: 'bundle', pem: authority.certificate }, names: [] } as const
    const silent = { ...streamPool('db', [streams.port], { tls }), key: 'silent' }
    const stream = streamRoute('tcp', 'tcp', [listeners.tcp], [silent])
    await plane.serve(gatewayConfig({ listeners: [listeners.tcp], pools: [silent], streams: [stream] }))
    const client = new StreamClient(await viaProxy(plane.port(5432), header1))
    for (let i = 0; i < 48; i++) client.socket.write(Buffer.alloc(1024 * 1024, i))
    await pause(300)
    expect(client.closed).toBe(false)
    // The rest is in the kernel's buffers.
    expect(client.socket.writableLength).toBeGreaterThan(24 * 1024 * 1024)
  })
})

describe('[wire:proxy-header-required] a peer that must send a header and does not', () => {
  it.each([
    ['HTTP', 80],
    ['HTTPS', 443],
    ['TCP', 5432],
  ])('gets no byte on a listener of %s, is counted and told of in the log', async (_name, specified) => {
    const { plane, refused, logged, requests, streams } = await scene()
    const hello = await helloOf({ servername: 'web.example' })
    for (const first of [Buffer.from(request), hello, Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n'), Buffer.alloc(1024 * 1024, 7)]) {
      expect(await endsSilently(await viaProxy(plane.port(specified), first))).toBe(true)
    }
    expect(await refused()).toEqual([`gatewright_proxy_headers_refused_total{gateway="default/test",port="${specified}"} 4`])
    expect(requests).toEqual([])
    expect(streams.connections).toEqual([])
    expect(logged.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 'warn', message: expect.stringContaining('PROXY protocol'), peer: proxyAddress, reason: 'got something else' },
    ])
    await eventually(() => plane.dataPlane.ports.every(({ open }) => open === 0), 'the end of all')
  })

  it('[wire:proxy-header-time] is closed when it has said nothing, or half a header, for too long', async () => {
    const { plane, refused } = await scene(bounds({ handshakeTime: 300 }))
    for (const port of [80, 443, 5432]) {
      for (const half of ['', 'PROXY TCP4 192.0.2.7', header2.subarray(0, 20)]) {
        const before = performance.now()
        expect(await endsSilently(await viaProxy(plane.port(port), half), 3_000)).toBe(true)
        expect(performance.now() - before).toBeGreaterThan(250)
      }
    }
    expect((await refused()).map((line) => line.slice(line.indexOf('port=')))).toEqual(['port="80"} 3', 'port="443"} 3', 'port="5432"} 3'])
  })

  it('[wire:proxy-header-time] has as long for what follows as if it had just been accepted', async () => {
    const { plane } = await scene(bounds({ handshakeTime: 1_000 }))
    const socket = await viaProxy(plane.port(443))
    const client = new StreamClient(socket)
    await pause(600)
    socket.write(header1)
    await pause(600)
    expect(client.closed).toBe(false)
    await eventually(() => client.closed || client.ended, 'the end', 3_000)
  })

  it('ends with half a header when the peer does', async () => {
    const { plane, refused } = await scene()
    for (const half of ['', 'PROXY TC']) {
      const socket = await viaProxy(plane.port(5432), half)
      socket.end()
      expect(await endsSilently(socket)).toBe(true)
    }
    expect(await refused()).toHaveLength(1)
  })

  it('[wire:proxy-header-bound] is closed when its header is too long', async () => {
    const { plane } = await scene(bounds({ proxyHeader: 600 }))
    const long = (length: number): Buffer => {
      const bytes = Buffer.concat([header2, Buffer.alloc(length - header2.length)])
      bytes.writeUInt16BE(length - 16, 14)
      return bytes
    }
    const kept = new RawClient(await viaProxy(plane.port(80), Buffer.concat([long(600), Buffer.from(request)])))
    expect(await kept.answer()).toMatchObject({ status: 200 })
    expect(await endsSilently(await viaProxy(plane.port(80), long(601).subarray(0, 16)))).toBe(true)
  })

  it('[wire:drain-new-connection] is not waited for in a drain', async () => {
    const { plane } = await scene(bounds({ lingerTime: 100 }))
    const sockets = [await viaProxy(plane.port(80)), await viaProxy(plane.port(443), 'PROXY '), await viaProxy(plane.port(443), header1)]
    await eventually(() => plane.dataPlane.ports.reduce((sum, { open }) => sum + open, 0) === 3, 'three connections')
    const before = performance.now()
    await plane.dataPlane.drain(20_000)
    expect(performance.now() - before).toBeLessThan(3_000)
    for (const socket of sockets) expect(socket.readableLength).toBe(0)
  })

  it('[wire:connection-limit] counts among the connections of its port', async () => {
    const { plane } = await scene(bounds({ connectionsPerPort: 2 }))
    for (let i = 0; i < 2; i++) await viaProxy(plane.port(80), 'PROXY ')
    await eventually(() => plane.dataPlane.ports.some(({ open }) => open === 2), 'two connections')
    expect(await endsSilently(await viaProxy(plane.port(80), header1))).toBe(true)
  })
})

describe('whatever comes in place of a header', () => {
  it('ends its own connection or waits for more, and harms no other', { timeout: 30_000 }, async () => {
    const { plane, requests } = await scene(bounds({ handshakeTime: 200, headTime: 200, clientIdleTime: 200 }))
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((noise) => Buffer.from(noise)),
      fc.tuple(fc.constantFrom(header1, header2), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([header, at, value]) => {
        const changed = Buffer.concat([header, Buffer.from(request)])
        changed[at % changed.length] = value
        return changed
      }),
    )
    const port = fc.constantFrom(80, 443, 5432)
    await fc.assert(
      fc.asyncProperty(port, bytes, fc.array(fc.nat(), { maxLength: 3 }), async (specified, all, cuts) => {
        const socket = await viaProxy(plane.port(specified))
        let at = 0
        for (const cut of [...cuts.map((one) => one % (all.length + 1)).sort((a, b) => a - b), all.length]) {
          if (cut > at) socket.write(all.subarray(at, cut))
          at = Math.max(at, cut)
          await new Promise(setImmediate)
        }
        socket.resume().end()
        await eventually(() => socket.closed, 'the end')
      }),
      { numRuns: 300 },
    )
    await eventually(() => plane.dataPlane.ports.every(({ open }) => open === 0), 'the end of all')
    const before = requests.length
    const client = new RawClient(await viaProxy(plane.port(80), Buffer.concat([header1, Buffer.from(request)])))
    expect(await client.answer()).toMatchObject({ status: 200 })
    expect(forwardedFor(requests[before])).toBe('192.0.2.7')
  })
})

describe('[wire:proxy-header-untrusted] from anybody else', () => {
  it('a header is bytes like others', async () => {
    const { plane, requests, refused } = await scene()
    for (const header of [header1, header2]) {
      const client = await RawClient.plain(plane.port(80))
      client.send(header.toString('latin1') + request)
      expect(await client.answer()).toMatchObject({ status: 400 })
      const tcp = await StreamClient.plain(plane.port(5432))
      tcp.socket.write(header)
      await tcp.hears(header.toString('latin1'))
      const tls = await StreamClient.plain(plane.port(443))
      tls.socket.write(header)
      await eventually(() => tls.closed || tls.ended, 'the end')
      expect(tls.text()).toBe('')
    }
    expect(requests).toEqual([])
    expect(await refused()).toEqual([])
  })

  it('none is asked for', async () => {
    const { plane, requests } = await scene()
    const client = await RawClient.plain(plane.port(80))
    expect(await client.get('web.example')).toMatchObject({ status: 200 })
    const secure = await RawClient.tls(plane.port(443), { ca: authority.certificate, servername: 'web.example' })
    expect(await secure.get('web.example')).toMatchObject({ status: 200 })
    expect(requests.map(forwardedFor)).toEqual(['127.0.0.1', '127.0.0.1'])
  })
})

const curl = ['/usr/local/bin/curl', '/usr/bin/curl'].find((path) => existsSync(path))

describe.skipIf(curl === undefined)('curl --haproxy-protocol', () => {
  it('is understood', async () => {
    const { plane, requests } = await scene({ acceptProxyProtocol: [parseCidr('127.0.0.1')].filter((range) => range !== undefined) })
    const ask = (...args: readonly string[]): Promise<string> =>
      new Promise((resolve) => {
        const child = spawn(curl ?? '', ['--silent', '--haproxy-protocol', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
        let out = ''
        child.stdout.on('data', (bytes: Buffer) => (out += String(bytes)))
        child.on('close', () => resolve(out))
      })
    expect(await ask(`http://127.0.0.1:${plane.port(80)}/`)).toBe('ok')
    expect(
      await ask('--insecure', '--resolve', `web.example:${plane.port(443)}:127.0.0.1`, `https://web.example:${plane.port(443)}/`),
    ).toBe('ok')
    expect(requests.map(forwardedFor)).toEqual(['127.0.0.1', '127.0.0.1'])
  })
})
