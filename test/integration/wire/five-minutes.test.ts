/**
 * What may be quiet is held open: five minutes pass for the data plane, by a clock and timers of the test, while its sockets are
 * real. Any timer that is set in between would fire. The same cases with a bound that is shorter are cut off, by which they
 * show that the minutes pass.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Bounds } from '../../../src/config/bounds.ts'
import { Client } from '../../harness/client.ts'
import { root } from '../../harness/command-build.ts'
import { startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { type ConfigSketch, gatewayConfig, type RuleSketch } from '../../harness/gateway-config.ts'
import { Http2Backend } from '../../harness/http2-backend.ts'
import { Http2Client } from '../../harness/http2-client.ts'
import { Backend, response } from '../../harness/scripted-backend.ts'

const minute = 60_000
const upgradeTo = (protocol: string): string => `Connection: upgrade\r\nUpgrade: ${protocol}\r\n`
const switched = `HTTP/1.1 101 Switching Protocols\r\n${upgradeTo('websocket')}\r\n`
const eventStream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

/** Two ends of one exchange; what each has received, and whether it has ended for the client. */
interface Ends {
  readonly atClient: () => string
  readonly atBackend: () => string
  readonly ended: () => boolean
  readonly clientSays: (text: string) => void
  readonly backendSays: (text: string) => void
}

interface Scene {
  readonly plane: TestDataPlane
  /** The same rule for everything, to a backend of HTTP/1 or h2c. */
  readonly serve: (backendPort: number, more?: Partial<ConfigSketch>) => Promise<number>
  readonly closing: <T extends { close(): unknown }>(one: T) => T
}

interface Case {
  readonly name: string
  readonly open: (scene: Scene) => Promise<Ends>
  /** The client says something and hears the backend; false for a request that waits for its answer. */
  readonly bothWays: boolean
  readonly shorter: { readonly bounds?: Partial<Bounds>; readonly rule?: RuleSketch }
}

/** Timers of the test stand still while it waits: only sockets move. */
async function until(look: () => boolean, what: string): Promise<void> {
  const end = process.hrtime.bigint() + 5_000_000_000n
  while (!look()) {
    if (process.hrtime.bigint() > end) throw new Error(`Cannot go on: ${what} must come`)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

async function overHttp1({ serve, closing }: Scene, head: string, backendSays: (text: string) => string, first: string): Promise<Ends> {
  const backend = closing(await Backend.listen((_request, connection) => connection.write(first)))
  const client = closing(await Client.connect(await serve(backend.port)))
  client.send(head)
  await until(() => backend.requests.length === 1, 'the request')
  return {
    atClient: () => client.received,
    atBackend: () => backend.rest,
    ended: () => client.ending !== 'open',
    clientSays: (text) => client.send(text),
    backendSays: (text) => backend.connections[0]?.write(backendSays(text)),
  }
}

async function overHttp2(
  { serve, closing }: Scene,
  headers: Record<string, string>,
  backendSays: (text: string) => string,
  first: string,
): Promise<Ends> {
  const backend = closing(await Backend.listen((_request, connection) => connection.write(first)))
  const client = closing(await Http2Client.connect(await serve(backend.port)))
  const isTunnel = ':protocol' in headers
  if (isTunnel) await until(() => client.session.remoteSettings.enableConnectProtocol === true, 'its settings')
  const ends = streamOf(client, headers, !isTunnel)
  await until(() => backend.requests.length === 1, 'the request')
  return { ...ends, atBackend: () => backend.rest, backendSays: (text) => backend.connections[0]?.write(backendSays(text)) }
}

async function overGrpc({ serve, closing }: Scene): Promise<Ends> {
  let atBackend = ''
  const backend = closing(
    await Http2Backend.listen(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.on('data', (bytes: Buffer) => {
        atBackend += bytes.toString('latin1')
      })
    }),
  )
  const client = closing(await Http2Client.connect(await serve(backend.port, { h2c: ['web'] })))
  const ends = streamOf(client, { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }, false)
  await until(() => backend.streams.length === 1, 'the call')
  return { ...ends, atBackend: () => atBackend, backendSays: (text) => backend.streams[0]?.stream.write(text) }
}

function streamOf(client: Http2Client, headers: Record<string, string>, endStream: boolean): Omit<Ends, 'atBackend' | 'backendSays'> {
  const stream = client.session.request({ ':path': '/', ':scheme': 'http', ':authority': 'a.example', ...headers }, { endStream })
  let atClient = ''
  let ended = false
  stream.on('error', () => {})
  stream.on('response', (answer) => {
    atClient += `status ${answer[':status']}\n`
  })
  stream.on('data', (bytes: Buffer) => {
    atClient += bytes.toString('latin1')
  })
  stream.on('close', () => {
    ended = true
  })
  return { atClient: () => atClient, ended: () => ended, clientSays: (text) => stream.write(text) }
}

const get = 'GET / HTTP/1.1\r\nHost: a.example\r\n'
const quiet = { bounds: { tunnelIdleTime: 4 * minute } }
const connectWebSocket = { ':method': 'CONNECT', ':protocol': 'websocket', 'sec-websocket-version': '13' }

const cases: readonly Case[] = [
  {
    name: 'a request over HTTP/1 whose backend thinks',
    open: (scene) => overHttp1(scene, `${get}\r\n`, (text) => response(text), ''),
    bothWays: false,
    shorter: { rule: { request: 4 * minute } },
  },
  {
    name: 'a request over HTTP/2 whose backend thinks',
    open: (scene) => overHttp2(scene, { ':method': 'GET' }, (text) => response(text), ''),
    bothWays: false,
    shorter: { rule: { backendRequest: 4 * minute } },
  },
  {
    name: 'an upload over HTTP/1 whose backend thinks',
    open: (scene) => overHttp1(scene, `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbody`, (text) => response(text), ''),
    bothWays: false,
    shorter: { rule: { request: 4 * minute } },
  },
  {
    name: 'an event stream over HTTP/1',
    open: (scene) => overHttp1(scene, `${get}Accept: text/event-stream\r\n\r\n`, chunk, eventStream + chunk('data: first\n\n')),
    bothWays: false,
    shorter: quiet,
  },
  {
    name: 'an event stream over HTTP/2',
    open: (scene) => overHttp2(scene, { ':method': 'GET', accept: 'text/event-stream' }, chunk, eventStream + chunk('data: first\n\n')),
    bothWays: false,
    shorter: quiet,
  },
  { name: 'a bidirectional gRPC call', open: overGrpc, bothWays: true, shorter: quiet },
  {
    name: 'a WebSocket over HTTP/1',
    open: (scene) => overHttp1(scene, `${get}${upgradeTo('websocket')}Sec-WebSocket-Version: 13\r\n\r\n`, (text) => text, switched),
    bothWays: true,
    shorter: quiet,
  },
  {
    name: 'a WebSocket over HTTP/2',
    open: (scene) => overHttp2(scene, connectWebSocket, (text) => text, switched),
    bothWays: true,
    shorter: quiet,
  },
]

describe('quiet for five minutes', () => {
  const opened: { close(): unknown }[] = []
  const planes: TestDataPlane[] = []

  beforeEach(() => {
    // setImmediate and process.nextTick stay real: sockets need them.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
  })
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
    const stopped = Promise.all(planes.splice(0).map((plane) => plane.stop()))
    await vi.advanceTimersByTimeAsync(1_000)
    await stopped
    vi.useRealTimers()
  })

  function scene({ bounds = {}, rule = {} }: Case['shorter']): Scene {
    const plane = startDataPlane({ bounds })
    planes.push(plane)
    return {
      plane,
      async serve(port, more = {}) {
        const sketch = { pools: { web: [port] }, rules: [{ ...rule, grpc: more.h2c !== undefined, backends: ['web'] }], ...more }
        await plane.serve(gatewayConfig(sketch))
        return plane.port(80)
      },
      closing(one) {
        opened.push(one)
        return one
      },
    }
  }

  it.each(cases)('[wire:bounds-no-hidden] $name is held open, and goes on', async ({ open, bothWays }) => {
    const given = scene({})
    const pending = vi.getTimerCount()
    const ends = await open(given)
    // None for what is under way.
    expect(vi.getTimerCount()).toBe(pending)
    if (bothWays) ends.clientSays('before')
    if (bothWays) await until(() => ends.atBackend().includes('before'), 'what the client says before')
    const from = given.plane.dataPlane.runtime.sweep.now
    await vi.advanceTimersByTimeAsync(5 * minute)
    expect(given.plane.dataPlane.runtime.sweep.now - from).toBeGreaterThanOrEqual(5 * minute - 250)
    expect(ends.ended()).toBe(false)
    if (bothWays) ends.clientSays('after all')
    if (bothWays) await until(() => ends.atBackend().includes('after all'), 'what the client says')
    ends.backendSays('after the minutes')
    await until(() => ends.atClient().includes('after the minutes'), 'what the backend says')
    expect(ends.atClient()).toMatch(/^(status|HTTP\/1\.1) (200|101)/)
  })

  it.each(cases)('[wire:bounds-no-hidden] $name is cut off when its bound is four', async ({ open, shorter }) => {
    const ends = await open(scene(shorter))
    await vi.advanceTimersByTimeAsync(4 * minute - 1_000)
    expect(ends.ended() || /504/.test(ends.atClient())).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    await until(() => ends.ended() || /504/.test(ends.atClient()), 'the end')
  })

  it("[wire:bounds-no-hidden] nor is there a timer of Node's own on a socket, a stream or a session, which no clock of a test reaches", () => {
    const files = readdirSync(join(root, 'src/proxy'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    expect(files.length).toBeGreaterThan(50)
    expect(
      files.filter((file) =>
        /\.setTimeout\(|setKeepAlive\(|timeout:|node:timers/.test(readFileSync(join(root, 'src/proxy', file), 'utf8')),
      ),
    ).toEqual([])
  })
})
