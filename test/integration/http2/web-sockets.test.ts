import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import { answerOf, type Http2Client } from '../../harness/http2-client.ts'
import { always, type BackendConnection, response } from '../../harness/scripted-backend.ts'

const h = harness()

const switched =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n\r\n'
const extended = {
  method: 'CONNECT',
  target: '/chat?x',
  pseudo: { ':protocol': 'websocket' },
  fields: ['sec-websocket-version: 13', 'sec-websocket-protocol: chat'],
}

/** After the settings of the gateway have come. */
async function settled(client: Http2Client): Promise<Http2Client> {
  await expect.poll(() => client.session.remoteSettings.enableConnectProtocol).toBe(true)
  return client
}

describe('a WebSocket over HTTP/2', () => {
  it('[wire:h2-web-socket] has one key in HTTP/1.1, whatever its client says', async () => {
    const { web, gate } = await h.scene((_request, connection) => connection.write(switched))
    const stream = (await settled(await h.http2(gate))).open({ ...extended, fields: ['sec-websocket-key: mine'] }, false)
    await new Promise((resolve) => stream.once('response', resolve))
    expect(web.request.headers('sec-websocket-key')).toEqual([expect.stringMatching(/^[\w+/]{22}==$/)])
  })

  it('[wire:h2-web-socket] becomes an upgrade of HTTP/1.1, and its bytes go through both ways', async () => {
    const { web, gate } = await h.scene((_request, connection) => {
      connection.write(switched)
      connection.socket.on('data', (bytes) => connection.write(`<${bytes.toString('latin1')}>`))
    })
    const stream = (await settled(await h.http2(gate))).open(extended, false)
    let received = ''
    let head: readonly string[] = []
    stream.on('response', (_headers, _flags, ...rest: unknown[]) => {
      head = rest[0] as string[]
    })
    stream.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1')
    })
    await expect.poll(() => head).toEqual([':status', '200', 'sec-websocket-protocol', 'chat'])
    const { line, head: sent } = web.requests[0] ?? { line: '', head: '' }
    expect(line).toBe('GET /chat?x HTTP/1.1')
    expect(sent).toMatch(/\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: chat\r\nsec-websocket-key: [\w+/]{22}==\r\n/)
    expect(sent).toMatch(/\r\nConnection: upgrade\r\nUpgrade: websocket\r\n/)
    expect(gate.runtime.counters.tunnels).toBe(1)
    stream.write('one')
    await expect.poll(() => received).toBe('<one>')
    stream.end('two')
    await expect.poll(() => received).toBe('<one><two>')
    await expect.poll(() => web.connections[0]?.ending).toBe('end')
    await expect.poll(() => stream.closed).toBe(true)
    expect(await gate.record()).toMatchObject({ status: 101, flag: '', protocol: 'HTTP/2' })
    expect(gate.runtime.counters.tunnels).toBe(0)
  })

  it('[wire:h2-web-socket] that the backend does not want is never told that it is open', async () => {
    const { gate } = await h.scene(always(response('no', '200 OK')))
    expect((await (await settled(await h.http2(gate))).request({ ...extended, body: '' })).status).toBe(502)
    const other = await h.scene(always(response('no', '403 Forbidden')))
    expect(await (await settled(await h.http2(other.gate))).request({ ...extended, body: '' })).toMatchObject({ status: 403, body: 'no' })
  })

  it('[wire:h2-web-socket] that breaks off on one side breaks off on the other, and other streams live on', async () => {
    const opened: BackendConnection[] = []
    const { gate } = await h.scene((request, connection) => {
      if (request.line.startsWith('GET /chat')) {
        opened.push(connection)
        connection.write(switched)
      } else connection.write(response('ok'))
    })
    const client = await settled(await h.http2(gate))
    const first = client.open(extended, false)
    const second = client.open(extended, false)
    await expect.poll(() => gate.runtime.counters.tunnels).toBe(2)
    const ending = answerOf(first)
    opened[0]?.socket.resetAndDestroy()
    expect((await ending).resetCode).not.toBe(0)
    // See UpstreamStream: at once it would never return.
    setImmediate(() => second.destroy(new Error('gone')))
    await expect.poll(() => opened[1]?.ending).not.toBe('open')
    expect((await client.request()).body).toBe('ok')
    await expect.poll(() => gate.runtime.counters.tunnels).toBe(0)
  })

  it('[wire:exchange-tunnel-idle] is closed when neither side says anything for long', async () => {
    const { web, gate } = await h.scene(always(switched), { bounds: { tunnelIdleTime: 500 } })
    const stream = (await settled(await h.http2(gate))).open(extended, false)
    await expect.poll(() => stream.closed, { timeout: 3_000 }).toBe(true)
    await expect.poll(() => web.connections[0]?.ending).not.toBe('open')
    expect((await gate.record()).flag).toBe('idle')
  })
})
