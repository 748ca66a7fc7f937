/** What a drain must not tear down: requests that were already on their way when it began. */
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestAuthority } from '../../harness/certificates.ts'
import {
  freePort,
  gatewayConfig,
  httpListener,
  httpsListener,
  pool,
  routeTo,
  startDataPlane,
  type TestDataPlane,
} from '../../harness/data-plane.ts'
import { pause } from '../../harness/eventually.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { always, Backend, response } from '../../harness/scripted-backend.ts'

const certificate = createTestAuthority().issue('a.example')
const plain = httpListener(80)
const secure = httpsListener(443, '', [certificate])

describe('a drain', () => {
  let web: Backend
  let plane: TestDataPlane
  const clients: RawClient[] = []

  beforeEach(async () => {
    web = await Backend.listen(always(response('ok')))
    plane = startDataPlane({ bounds: { drainTime: 2_000, lingerTime: 300 } })
    const one = pool('one', web.port)
    const config = gatewayConfig({
      listeners: [plain, secure],
      pools: [one],
      routes: [routeTo(one, [plain, secure])],
      certificates: [certificate.config],
    })
    await plane.serve(config, new Map([[certificate.config.fingerprint, certificate.key]]))
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close()
    await plane.stop()
    await web.close()
  })

  function kept(client: RawClient): RawClient {
    clients.push(client)
    return client
  }

  it('[wire:drain-new-connection] serves the first request of a new connection, with Connection: close, and closes the port at once', async () => {
    const client = kept(await RawClient.plain(plane.port(80)))
    await pause(20)
    const drained = plane.dataPlane.drain()
    await expect(RawClient.plain(plane.port(80))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await pause(50)
    const answer = await client.get('a.example')
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    await client.closed
    expect(client.error).toBeUndefined()
    await drained
  })

  it('[wire:drain-new-connection] waits no longer than the time of a linger for a connection that says nothing', async () => {
    const silent = kept(await RawClient.plain(plane.port(80)))
    await pause(20)
    const started = performance.now()
    await plane.dataPlane.drain()
    await silent.closed
    expect([silent.error, silent.received]).toEqual([undefined, ''])
    // A linger for the first request, another one for the FIN, and the sweep's ticks.
    expect(performance.now() - started).toBeLessThan(1_500)
  })

  it('[wire:drain-new-connection] lets a handshake end, and serves its first request', async () => {
    const before = kept(await RawClient.plain(plane.port(443)))
    await pause(20)
    const drained = plane.dataPlane.drain()
    await pause(20)
    const tls = connectTls({ socket: before.socket, rejectUnauthorized: false, servername: 'a.example' })
    await new Promise<void>((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject))
    const client = kept(new RawClient(tls))
    const answer = await client.get('a.example')
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    await drained
  })

  it('[wire:port-drain] closes an idle keep-alive connection with FIN, and a request that crosses it finds no reset before', async () => {
    const client = kept(await RawClient.plain(plane.port(80)))
    expect((await client.get('a.example')).status).toBe(200)
    const drained = plane.dataPlane.drain()
    client.send('GET /crossing HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed
    expect([client.error, client.received]).toEqual([undefined, ''])
    expect(web.requests.map(({ line }) => line)).toEqual(['GET / HTTP/1.1'])
    await drained
  })

  it('[wire:port-drain] ends pipelined requests after the one under way, whose answer says close', async () => {
    const client = kept(await RawClient.plain(plane.port(80)))
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT')
    await client.answer()
    const drained = plane.dataPlane.drain()
    client.send('TP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.answer()).headers.get('connection')).toBe('close')
    await client.closed
    expect(client.received).toBe('')
    expect(web.requests).toHaveLength(2)
    await drained
  })

  it('[wire:port-drain] that ended leaves its port to another, at once', async () => {
    const port = await freePort()
    const at = () => ({ address: '127.0.0.1', port })
    const one = pool('one', web.port)
    const config = gatewayConfig({ listeners: [plain], pools: [one], routes: [routeTo(one, [plain])] })
    await plane.serve(config, new Map(), at)
    const open = kept(await RawClient.plain(port))
    await open.get('a.example')
    await plane.stop()
    plane = startDataPlane()
    expect((await plane.serve(config, new Map(), at)).ports).toMatchObject([{ listenPort: port }])
    expect((await kept(await RawClient.plain(port)).get('a.example')).status).toBe(200)
  })
})
