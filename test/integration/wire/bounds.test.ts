/** Every bound of docs/wire.md as a user sets it: `gatewright run --bound NAME=VALUE`, looked at from both sides of the process. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boundOverrides } from '../../../src/cli/flags.ts'
import { boundName, boundSchema, parseBound } from '../../../src/config/bounds.ts'
import { Client } from '../../harness/client.ts'
import { Http2Client } from '../../harness/http2-client.ts'
import { root } from '../../harness/command-build.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { Backend, response } from '../../harness/scripted-backend.ts'

const h = harness()

const manifests = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec: { gatewayClassName: any, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: default }
spec: { parentRefs: [{ name: web }], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`

const given = {
  'request-line': 200,
  head: 1_000,
  fields: 10,
  'head-time': 400,
  'client-idle-time': 900,
  'body-idle-time': 400,
  'body-rate': 100,
  'upstream-idle-body-time': 400,
  'pool-idle-time': 300,
  'tunnel-idle-time': 600,
  'linger-bytes': 1_000_000_000,
  'linger-time': 400,
  'continue-time': 200,
  'connections-per-port': 5,
  'connections-per-endpoint': 2,
  trailers: 100,
  'trailer-fields': 3,
  'chunk-extension': 10,
  'chunk-extensions': 25,
  'interim-answers': 2,
  'request-body': 1_000,
  'http2-streams': 7,
}

const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'

describe('gatewright run --bound', () => {
  let web: Backend
  let gateway: RunningGateway
  const clients: Client[] = []

  beforeAll(async () => {
    web = await Backend.listen((request, connection) => {
      const path = request.line.split(' ')[1]
      if (path === '/hang') return
      if (path === '/interim') connection.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(Number(request.header('x-count'))))
      if (path === '/half') connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
      else if (path === '/slow-head') connection.write('HTTP/1.1 200 OK\r\nX')
      else if (path === '/large-head') connection.write(response('', '200 OK', `X: ${'y'.repeat(1_000)}\r\n`))
      else if (path === '/tunnel') connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
      else connection.write(response('ok'))
    })
    const bounds = Object.entries(given).flatMap(([name, value]) => ['--bound', `${name}=${value}`])
    gateway = await RunningGateway.start(['-', '--service', `default/web:80=127.0.0.1:${web.port}`, ...bounds], { input: manifests })
  }, 20_000)
  afterAll(async () => {
    for (const client of clients) client.close()
    await gateway?.close()
    await web?.close()
  })

  async function client(): Promise<Client> {
    for (const one of clients.splice(0)) one.close()
    await pause(20)
    const made = await Client.connect(gateway.place('http://a.example').port)
    clients.push(made)
    return made
  }

  /** Sends, and tells the status of the answer (0: none came), how long it took, and that the connection ended. */
  async function outcome(bytes: string): Promise<{ status: number; milliseconds: number }> {
    const one = await client()
    const started = performance.now()
    if (bytes !== '') one.send(bytes)
    await one.closed()
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(one.received)?.[1] ?? 0), milliseconds: performance.now() - started }
  }

  it.each([
    ['request-line', 414, `GET /${'x'.repeat(200)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['head', 431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(1_000)}\r\n\r\n`],
    ['fields', 431, `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(10)}\r\n`],
    ['request-body', 413, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n'],
    ['trailers', 400, `${chunked}1\r\nx\r\n0\r\nX: ${'y'.repeat(100)}\r\n\r\n`],
    ['trailer-fields', 400, `${chunked}1\r\nx\r\n0\r\n${'X: y\r\n'.repeat(4)}\r\n`],
    ['chunk-extension', 400, `${chunked}1;${'x'.repeat(10)}\r\nx\r\n0\r\n\r\n`],
    ['chunk-extensions', 400, `${chunked}${`1;${'x'.repeat(8)}\r\nx\r\n`.repeat(3)}0\r\n\r\n`],
  ])('[wire:bounds-options] %s refuses with %i what is larger', async (_name, status, bytes) => {
    expect((await outcome(bytes)).status).toBe(status)
  })

  it.each([
    ['head-time', 408, 400, 'GET / HTTP/1.1\r\nHost: '],
    ['client-idle-time', 0, 900, ''],
    ['body-idle-time', 408, 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nsome'],
    ['upstream-idle-body-time', 200, 400, 'GET /half HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['tunnel-idle-time', 101, 600, 'GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['head-time, of an answer', 504, 400, 'GET /slow-head HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['head, of an answer', 502, 0, 'GET /large-head HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ])('[wire:bounds-options] %s ends a wait with status %i after %i ms', async (_name, status, least, bytes) => {
    const { status: got, milliseconds } = await outcome(bytes)
    expect(got).toBe(status)
    // The clock of the bounds is as old as its last tick when a wait begins.
    expect(milliseconds).toBeGreaterThan(least - 260)
    expect(milliseconds).toBeLessThan(least + 2_000)
  })

  it('[wire:bounds-options] what is just within the bounds of a body is served', async () => {
    const one = await client()
    one.send(`${chunked}1;${'x'.repeat(9)}\r\nx\r\n1;${'x'.repeat(9)}\r\nx\r\n0\r\n${'X: y\r\n'.repeat(3)}\r\n`)
    expect((await one.answer()).status).toBe(200)
    expect((await one.request({ method: 'POST', body: 'x'.repeat(1_000) })).status).toBe(200)
  })

  it('[wire:bounds-options] interim-answers makes a 502 of an answer with more', async () => {
    const statuses = async (count: number): Promise<number[]> => {
      const one = await client()
      one.send(`GET /interim HTTP/1.1\r\nHost: a\r\nX-Count: ${count}\r\n\r\n`)
      const seen: number[] = []
      while ((seen.at(-1) ?? 100) < 200) seen.push((await one.answer()).status)
      return seen
    }
    expect(await statuses(2)).toEqual([103, 103, 200])
    expect(await statuses(3)).toEqual([103, 103, 502])
  })

  it('[wire:bounds-options] [wire:h2-options] http2-streams is told to the client', async () => {
    const { session } = await Http2Client.connect(gateway.place('http://a.example').port)
    await expect.poll(() => session.remoteSettings.maxConcurrentStreams).toBe(7)
    session.destroy()
  })

  it('[wire:bounds-options] body-rate refuses with 408 a body that trickles', async () => {
    const one = await client()
    one.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n')
    const timer = setInterval(() => one.send('x'), 50)
    try {
      expect((await one.answer()).status).toBe(408)
    } finally {
      clearInterval(timer)
    }
  })

  it('[wire:bounds-options] continue-time lets a body flow without a 100', async () => {
    const one = await client()
    const started = performance.now()
    one.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody')
    expect((await one.answer()).body).toBe('ok')
    expect(performance.now() - started).toBeLessThan(900)
  })

  it('[wire:bounds-options] pool-idle-time closes an idle upstream connection', async () => {
    const one = await client()
    await one.request()
    const upstream = web.connections.at(-1)
    await eventually(() => upstream?.ending === 'end', 'the end of the upstream connection')
  })

  it('[wire:bounds-options] linger-time ends a connection that goes on sending after its refusal', async () => {
    const one = await client()
    one.send('GET /\0')
    expect((await one.answer()).status).toBe(400)
    const timer = setInterval(() => one.send('x'), 20)
    const started = performance.now()
    try {
      await eventually(() => one.ending === 'reset', 'a reset')
    } finally {
      clearInterval(timer)
    }
    expect(performance.now() - started).toBeGreaterThan(150)
  })

  it('[wire:bounds-options] connections-per-port closes the sixth connection without a byte', async () => {
    const five = [await client()]
    for (let i = 0; i < 4; i++) five.push(await Client.connect(gateway.place('http://a.example').port))
    clients.push(...five)
    await Promise.all(five.map((one) => one.request()))
    const sixth = await Client.connect(gateway.place('http://a.example').port)
    await sixth.closed()
    expect(sixth.received).toBe('')
    sixth.close()
  })

  it('[wire:bounds-options] connections-per-endpoint answers with 503 what would need a third', async () => {
    const first = await client()
    const second = await Client.connect(gateway.place('http://a.example').port)
    const third = await Client.connect(gateway.place('http://a.example').port)
    clients.push(second, third)
    const before = web.connections.flatMap(({ requests }) => requests.filter(({ line }) => line.includes('/hang'))).length
    first.send('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n')
    second.send('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(
      () => web.connections.flatMap(({ requests }) => requests.filter(({ line }) => line.includes('/hang'))).length === before + 2,
      'both requests',
    )
    expect((await third.request()).status).toBe(503)
  })

  it.each(['head-tim=1', 'head-time', 'head-time=', 'head-time=1s', 'head-time=-1', 'head-time=1.5', '__proto__=1', 'constructor=1'])(
    '[wire:bounds-options] %s is no bound, and refused as a wrong use of the command',
    (text) => {
      expect(() => boundOverrides([text])).toThrow(expect.objectContaining({ message: expect.stringMatching(/^Cannot set/), exitCode: 2 }))
    },
  )

  it('[wire:bounds-options] the last one of a name counts', () => {
    expect(boundOverrides(['head-time=1', 'fields=9', 'head-time=2'])).toEqual({ headTime: 2, fields: 9 })
  })
})

describe('the schema of bounds', () => {
  const all = Object.entries(boundSchema)

  it.each(all)(
    '[wire:bounds-options] %s has a default within its range, takes what is within, and says what else must be',
    (key, { initial, least, most }) => {
      const name = boundName(key)
      const range = `Cannot set the bound ${name}: it must be a whole number from ${least} to ${most} (`
      for (const value of [least, initial, most]) expect(parseBound(name, String(value))).toEqual({ [key]: value })
      for (const value of [least - 1, most + 1]) expect(() => parseBound(name, String(value))).toThrow(range)
      expect(() => parseBound(name, '')).toThrow(/, got nothing$/)
    },
  )

  it('[wire:bounds-options] is printed in docs/wire.md', () => {
    const page = readFileSync(join(root, 'docs/wire.md'), 'utf8')
    const table = page
      .slice(page.indexOf('## Bounds and their options'))
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(1)
    expect(table).toEqual(
      all.map(
        ([key, { initial, unit, least, most, says }]) => `| ${boundName(key)} | ${initial} | ${unit} | ${least} to ${most} | ${says} |`,
      ),
    )
  })
})

describe('a timeout of more milliseconds than a timer takes', () => {
  it.each([{ request: 3_600_000_000 }, { backendRequest: 3_600_000_000 }])(
    '[wire:exchange-request-timeout] does not fire at once: %j',
    async (timeout) => {
      const web = await h.backend((_request, connection) => void setTimeout(() => connection.write(response('ok')), 100))
      const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], ...timeout }] })
      expect(await (await h.client(gate)).request()).toMatchObject({ status: 200, body: 'ok' })
    },
  )
})
