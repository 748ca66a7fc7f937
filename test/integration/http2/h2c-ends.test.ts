/** Where an answer of HTTP/2 ends, and where it only breaks off: RST_STREAM with NO_ERROR may come behind an end (RFC 9113 section 8.1), and in place of one. */
import { describe, expect, it } from 'vitest'
import { pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { endHeaders, endStream, frame, frameType, uint32 } from '../../harness/http2-frames.ts'
import { status200 } from '../../harness/raw-http2-backend.ts'

const h = harness()
const head = (stream: number): Buffer => frame(frameType.headers, endHeaders, stream, status200)
const kilobytes = (stream: number, count: number, flags = 0): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) => frame(frameType.data, i === count - 1 ? flags : 0, stream, Buffer.alloc(1_000, 'a'))),
  )
const noError = (stream: number): Buffer => frame(frameType.reset, 0, stream, uint32(0))

async function scene(respond: Parameters<typeof h.rawHttp2Backend>[0]) {
  const web = await h.rawHttp2Backend(respond)
  return h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] })
}

describe('RST_STREAM with NO_ERROR', () => {
  it.each([1, 40])('[wire:h2-early-end] behind an answer of %i KB, while the request still flows, takes nothing from it', async (size) => {
    const gate = await scene((socket, stream) =>
      socket.write(Buffer.concat([head(stream), kilobytes(stream, size, endStream), noError(stream)])),
    )
    const upload = (await h.http2(gate)).open({ method: 'POST' }, false)
    let received = 0
    upload.on('data', (bytes: Buffer) => {
      received += bytes.length
    })
    upload.write(Buffer.alloc(200_000))
    await new Promise((resolve) => upload.once('close', resolve))
    expect([received, upload.rstCode]).toEqual([size * 1_000, 0])
    const client = await h.client(gate)
    client.send(`POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(100_000)}`)
    expect((await client.answer()).body).toHaveLength(size * 1_000)
  })

  it('[wire:h2-early-end] behind an answer that a slow client has not taken takes nothing from it', async () => {
    const gate = await scene((socket, stream) => {
      socket.write(Buffer.concat([head(stream), kilobytes(stream, 60)]))
      setTimeout(() => socket.write(kilobytes(stream, 40)), 50)
      setTimeout(() => socket.write(Buffer.concat([kilobytes(stream, 10, endStream), noError(stream)])), 100)
    })
    const upload = (await h.http2(gate, { settings: { initialWindowSize: 1_000 } })).open({ method: 'POST' }, false)
    let received = 0
    upload.on('data', (bytes: Buffer) => {
      received += bytes.length
    })
    upload.pause()
    await pause(300)
    upload.resume()
    await new Promise((resolve) => upload.once('close', resolve))
    expect([received, upload.rstCode]).toEqual([110_000, 0])
  })

  it.each(['client', 'http2'] as const)('[wire:h2-broken-answer] in place of the end is not taken for one, by a %s', async (version) => {
    const gate = await scene((socket, stream) => socket.write(Buffer.concat([head(stream), kilobytes(stream, 2), noError(stream)])))
    if (version === 'http2') expect(await (await h.http2(gate)).request()).toMatchObject({ status: 200, resetCode: 2 })
    else {
      const client = await h.client(gate)
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
      await client.closed()
      expect(client.received).toContain('aaa')
      expect(client.received).not.toMatch(/\r\n0\r\n/)
    }
    expect((await gate.record()).flag).toBe('upstream-closed')
  })
})
