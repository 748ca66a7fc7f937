import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'

const h = harness()

describe('an answer with trailers', () => {
  it.each([
    ['application/grpc', 'x-sum: 1\r\n'],
    ['text/plain', ''],
  ])(
    '[wire:exchange-trailers] of type %s reaches a client of HTTP/1.1 that says nothing of TE with the trailers %j',
    async (type, trailers) => {
      const web = await h.http2Backend(({ stream }) => {
        stream.respond({ ':status': 200, 'content-type': type }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
        stream.end('ok')
      })
      const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] })
      const client = await h.client(gate)
      expect(await client.request({ method: 'POST', body: 'x' })).toMatchObject({ status: 200, body: 'ok', trailers })
      expect((await client.request()).status).toBe(200)
    },
  )

  it.each(['GET', 'POST'])('[wire:h2-trailers] may have a length and trailers, in answer to %s', async (method) => {
    const web = await h.http2Backend(({ stream }) => {
      stream.respond({ ':status': 200, 'content-length': 2 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
      stream.end('ok')
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] })
    const answer = await (await h.http2(gate)).request({ method })
    expect(answer).toMatchObject({ status: 200, body: 'ok', trailers: 'x-sum: 1\r\n', resetCode: 0 })
    expect(answer.header('content-length')).toBe('2')
    expect(await (await h.client(gate)).request({ method })).toMatchObject({ status: 200, body: 'ok' })
  })
})
