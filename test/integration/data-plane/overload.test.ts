/** More than the process can take: each bound sheds with its answer and counts it, what is under way goes on, and later requests are served. */
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { DataPlaneOptions } from '../../../src/proxy/data-plane.ts'
import { dataPlaneMetrics } from '../../../src/proxy/metrics.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { Client, type HttpClient } from '../../harness/client.ts'
import { startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { eventually } from '../../harness/eventually.ts'
import { type ConfigSketch, gatewayConfig } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'
import { answerOf, Http2Client } from '../../harness/http2-client.ts'
import type { ReceivedStream } from '../../harness/http2-backend.ts'
import type { ReceivedRequest } from '../../harness/received-requests.ts'
import { type BackendConnection, response } from '../../harness/scripted-backend.ts'

const h = harness()
const opened: { close(): unknown }[] = []
const planes: TestDataPlane[] = []

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
  await Promise.all(planes.splice(0).map((plane) => plane.stop()))
})

type AnyClient = Client | Http2Client

const versions: readonly { readonly version: string; readonly dial: (port: number) => Promise<AnyClient> }[] = [
  { version: 'HTTP/1.1', dial: (port) => Client.connect(port) },
  { version: 'HTTP/2', dial: (port) => Http2Client.connect(port) },
]

/** Backends that answer to /hold when they are told to, and to everything else at once. */
async function backends() {
  const held: (() => void)[] = []
  const http1 = await h.backend((request: ReceivedRequest, connection: BackendConnection) => {
    const answer = (): void => connection.write(response('ok'))
    if (request.line.includes('/hold')) held.push(answer)
    else answer()
  })
  const h2c = await h.http2Backend(
    (received: ReceivedStream) => {
      const { stream } = received
      const answer = (): void => {
        stream.respond({ ':status': 200 })
        stream.end('ok')
      }
      if (received.header(':path') === '/hold') held.push(answer)
      else answer()
    },
    { settings: { maxConcurrentStreams: 1 } },
  )
  const release = (): void => {
    for (const answer of held.splice(0)) answer()
  }
  return { http1, h2c, held, release }
}

async function scene(
  options: Partial<DataPlaneOptions>,
  ofSketch: (ports: { http1: number; h2c: number }) => Partial<ConfigSketch> = () => ({}),
) {
  const back = await backends()
  const plane = startDataPlane(options)
  planes.push(plane)
  await plane.serve(
    gatewayConfig({
      pools: { web: [back.http1.port] },
      rules: [{ backends: ['web'] }],
      ...ofSketch({ http1: back.http1.port, h2c: back.h2c.port }),
    }),
  )
  const metrics = createMetrics(dataPlaneMetrics(plane.dataPlane))
  const port = plane.port(80)
  return {
    ...back,
    plane,
    port,
    /** The value of a series, as a scrape shows it. */
    counted: async (series: string): Promise<number> => {
      const text = await metrics.text()
      const line = text.split('\n').find((one) => one.startsWith(`${series} `))
      if (line === undefined) throw new Error(`Cannot find ${series} in\n${text}`)
      return Number(line.slice(series.length + 1))
    },
    client: async <T extends { close(): unknown }>(dial: (port: number) => Promise<T>): Promise<T> => {
      const one = await dial(port)
      opened.push(one)
      return one
    },
  }
}

/** A connection that is expected to end without a byte. */
function refused(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let received = ''
    socket.on('data', (more) => {
      received += more.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    socket.write(bytes, 'latin1')
  })
}

const hold = (client: HttpClient) => client.request({ target: '/hold' })
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

describe.each(versions)('connections of $version', ({ version, dial }) => {
  it.each([
    { bounds: { connectionsPerPort: 2 }, reason: 'port' },
    { bounds: { connections: 2 }, reason: 'process' },
  ])(
    '[wire:connection-limit] beyond $bounds are closed without a byte, counted for $reason, and taken again when there is room',
    async ({ bounds, reason }) => {
      const { port, client, counted, plane } = await scene({ bounds })
      const [first, second] = [await client(dial), await client(dial)]
      expect([(await first.request()).status, (await second.request()).status]).toEqual([200, 200])
      expect(await refused(port, version === 'HTTP/2' ? preface : 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('')
      const shed = (what: string) => counted(`gatewright_connections_shed_total{gateway="test/gate",port="80",reason="${what}"}`)
      expect(await shed(reason)).toBe(1)
      expect(await shed('descriptors')).toBe(0)
      await first.close()
      await expect.poll(() => plane.dataPlane.ports[0]?.open).toBe(1)
      expect((await (await client(dial)).request()).status).toBe(200)
      expect(await shed(reason)).toBe(1)
    },
  )
})

describe.each(versions)('requests of $version', ({ version, dial }) => {
  it('[wire:exchange-overload] beyond those that may be under way get a 503, are counted, and are served again when others have ended', async () => {
    const { client, counted, held, release } = await scene({ bounds: { requests: 2 } })
    const clients = [await client(dial), await client(dial), await client(dial)]
    const [first, second, third] = clients as [AnyClient, AnyClient, AnyClient]
    const answers = [hold(first), hold(second)]
    await eventually(() => held.length === 2, 'two requests')
    expect(await counted('gatewright_active_requests')).toBe(2)
    expect(await third.request()).toMatchObject({ status: 503, body: expect.stringContaining('overload') })
    expect(await counted('gatewright_requests_shed_total{reason="requests"}')).toBe(1)
    expect(await counted('gatewright_requests_shed_total{reason="memory"}')).toBe(0)
    release()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200])
    expect(await third.request()).toMatchObject({ status: 200, body: 'ok' })
    await expect.poll(() => counted('gatewright_active_requests')).toBe(0)
  })

  it('[wire:memory-watermark] get a 503 while memory is above the watermark; what is under way ends, and new ones are served when it has fallen', async () => {
    let used = 50
    const { client, counted, held, release, plane } = await scene({ bounds: { memory: 100 }, usedMemory: () => used })
    const [busy, other] = [await client(dial), await client(dial)] as const
    const answer = hold(busy)
    await eventually(() => held.length === 1, 'the request')
    used = 101
    await expect.poll(() => counted('gatewright_overloaded'), { timeout: 4_000 }).toBe(1)
    expect(await other.request()).toMatchObject({ status: 503, body: expect.stringContaining('overload') })
    expect(await counted('gatewright_requests_shed_total{reason="memory"}')).toBe(1)
    release()
    expect((await answer).status).toBe(200)
    used = 94
    await expect.poll(() => plane.dataPlane.runtime.overloaded, { timeout: 4_000 }).toBe(false)
    expect((await other.request()).status).toBe(200)
  })

  it('[wire:request-body-limit] with a larger body than may be get a 413, by its length before anybody sees it, and else when it has come', async () => {
    const { client, counted, http1 } = await scene({ bounds: { requestBody: 1_000 } })
    const announced = await client(dial)
    const fields = version === 'HTTP/2' ? ['content-length: 1001'] : []
    expect((await announced.request({ method: 'POST', fields, body: 'x'.repeat(1_001) })).status).toBe(413)
    expect(http1.connections).toHaveLength(0)
    const streamed = await client(dial)
    if (streamed instanceof Client) {
      streamed.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n${'x'.repeat(500)}\r\n`)
      await eventually(() => http1.rest.includes('xxx'), 'the first chunk')
      streamed.send(`1f5\r\n${'x'.repeat(501)}\r\n0\r\n\r\n`)
      expect((await streamed.answer()).status).toBe(413)
      expect(await streamed.closed()).toBe('end')
    } else {
      const stream = streamed.open({ method: 'POST' }, false)
      const answer = answerOf(stream)
      stream.write('x'.repeat(500))
      await eventually(() => http1.rest.includes('xxx'), 'the first piece')
      stream.write('x'.repeat(501))
      expect(await answer).toMatchObject({ status: 413, resetCode: 0 })
      expect((await streamed.request()).status).toBe(200)
    }
    expect(http1.requests.filter(({ line }) => line.startsWith('POST'))).toEqual([])
    await eventually(() => http1.connections[0]?.ending !== 'open', 'the end of the connection to the backend')
    expect(await counted('gatewright_flagged_requests_total{flag="body-too-large"}')).toBe(2)
    const whole = await client(dial)
    expect((await whole.request({ method: 'POST', body: 'x'.repeat(1_000) })).status, version).toBe(200)
  })

  describe.each(['http1', 'h2c'] as const)('to a backend of %s', (protocol) => {
    it.each([
      { bounds: { connectionsPerEndpoint: 2 }, reason: 'endpoint' },
      { bounds: { connectionsUpstream: 2 }, reason: 'process' },
    ])(
      '[wire:exchange-endpoint-limit] that would need one connection more than $bounds get a 503, are counted, and are served when others have ended',
      async ({ bounds, reason }) => {
        const { client, counted, held, release } = await scene({ bounds }, (ports) => ({
          pools: { web: [ports[protocol]] },
          h2c: protocol === 'h2c' ? ['web'] : [],
        }))
        const clients = [await client(dial), await client(dial), await client(dial)]
        const [first, second, third] = clients as [AnyClient, AnyClient, AnyClient]
        // One that serves tells how many streams its endpoint allows.
        await first.request()
        const answers = [hold(first), hold(second)]
        await eventually(() => held.length === 2, 'two requests')
        expect(await third.request()).toMatchObject({ status: 503, body: expect.stringContaining('overload') })
        expect(await counted(`gatewright_upstream_shed_total{pool="web",reason="${reason}"}`)).toBe(1)
        release()
        expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200])
        expect((await third.request()).status).toBe(200)
      },
    )
  })
})

describe('streams of HTTP/2', () => {
  it('[wire:exchange-overload] are under way until the client has taken their answer', async () => {
    const { client, counted, port } = await scene({ bounds: { requests: 3 } })
    const slow = await Http2Client.connect(port, 'http', { settings: { initialWindowSize: 0 } })
    opened.push(slow)
    for (let i = 0; i < 3; i++) slow.open({}, true)
    await expect.poll(() => counted('gatewright_active_requests')).toBe(3)
    const other = await client((where) => Client.connect(where))
    expect((await other.request()).status).toBe(503)
    await slow.close()
    await expect.poll(() => counted('gatewright_active_requests')).toBe(0)
    expect((await other.request()).status).toBe(200)
  })

  it('[wire:exchange-overload] [wire:request-body-limit] of gRPC hear it as UNAVAILABLE, and RESOURCE_EXHAUSTED for a body', async () => {
    const { client, held } = await scene({ bounds: { requests: 1, requestBody: 10 } }, (ports) => ({
      pools: { web: [ports.h2c] },
      h2c: ['web'],
      rules: [{ grpc: true, backends: ['web'] }],
    }))
    const one = await client((where) => Http2Client.connect(where))
    const call = { method: 'POST', fields: ['content-type: application/grpc', 'te: trailers'] }
    const large = await one.request({ ...call, body: 'x'.repeat(11) })
    expect([large.status, large.header('grpc-status')]).toEqual([200, '8'])
    const first = one.open({ ...call, target: '/hold' }, true)
    await eventually(() => held.length === 1, 'the first call')
    const second = await one.request(call)
    expect([second.status, second.header('grpc-status')]).toEqual([200, '14'])
    first.close()
  })
})
