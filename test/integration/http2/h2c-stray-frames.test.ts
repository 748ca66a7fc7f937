/** What a backend sends that belongs to no request: it is thrown away, and is not worth the requests of its connection; without bound it is. */
import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { endHeaders, endStream, frame, frameType } from '../../harness/http2-frames.ts'
import { status200 } from '../../harness/raw-http2-backend.ts'

const h = harness()
const answer = (stream: number): Buffer => frame(frameType.headers, endHeaders | endStream, stream, status200)

async function scene(respond: Parameters<typeof h.rawHttp2Backend>[0], bounds = {}) {
  const web = await h.rawHttp2Backend(respond)
  return h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, { bounds })
}

describe('a backend', () => {
  it.each([
    ['an end', (stream: number) => frame(frameType.data, endStream, stream)],
    ['DATA', (stream: number) => frame(frameType.data, endStream, stream, Buffer.from('x'))],
    ['trailers', (stream: number) => frame(frameType.headers, endHeaders | endStream, stream, status200)],
  ])('[wire:h2-closed] may send %s behind its answer, on a connection that goes on', async (_name, more) => {
    const ports = new Set<number | undefined>()
    const gate = await scene((socket, stream) => {
      ports.add(socket.remotePort)
      socket.write(Buffer.concat([answer(stream), more(stream)]))
    })
    const client = await h.http2(gate)
    for (let i = 0; i < 150; i++) expect((await client.request()).status).toBe(200)
    expect(ports.size).toBe(1)
  })

  it('[wire:h2-closed] may answer a request that was cancelled meanwhile, and others on its connection go on', async () => {
    const ports = new Set<number | undefined>()
    const streams: number[] = []
    const body = (stream: number): Buffer => frame(frameType.data, 0, stream, Buffer.alloc(16_384))
    const gate = await scene(
      (socket, stream) => {
        ports.add(socket.remotePort)
        streams.push(stream)
        if (streams.length <= 20) return
        const late = streams.slice(0, 20).flatMap((one) => [frame(frameType.headers, endHeaders, one, status200), body(one), body(one)])
        socket.write(Buffer.concat([...late, answer(stream)]))
      },
      { http2Overhead: 4_000 },
    )
    const client = await h.http2(gate)
    const asked = Array.from({ length: 20 }, () => client.open({}, true))
    await eventually(() => streams.length === 20, 'the requests')
    for (const one of asked) one.close(8)
    await eventually(() => gate.runtime.counters.active === 0, 'their ends')
    expect((await client.request()).status).toBe(200)
    expect((await client.request()).status).toBe(200)
    expect(ports.size).toBe(1)
  })

  it.each([
    ['frames that nobody knows', (stream: number) => frame(0xbe, 0, stream, Buffer.alloc(20))],
    ['DATA of a stream that has ended', (stream: number) => frame(frameType.data, 0, stream, Buffer.alloc(20))],
  ])('[wire:h2-overhead] that sends %s without end loses its connection', async (_name, make) => {
    const closed: boolean[] = []
    const gate = await scene(
      (socket, stream) => {
        socket.once('close', () => closed.push(true))
        const flood = Array.from({ length: 200 }, () => make(stream))
        socket.write(Buffer.concat([answer(stream), ...flood]))
      },
      { http2Overhead: 4_000 },
    )
    const client = await h.http2(gate)
    expect((await client.request()).status).toBe(200)
    await eventually(() => closed.length === 1, 'the end of the connection', 2_000)
    expect((await client.request()).status).toBe(200)
  })
})
