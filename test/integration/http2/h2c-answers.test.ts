import { describe, expect, it } from 'vitest'
import type { GatewayOptions } from '../../harness/gateway.ts'
import { harness } from '../../harness/harness.ts'
import type { RespondTo } from '../../harness/http2-backend.ts'

const h = harness()

async function scene(respond: RespondTo, options: GatewayOptions = {}) {
  const web = await h.http2Backend(respond)
  const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, options)
  return { web, gate }
}

const ended: RespondTo = ({ stream }) => stream.respond({ ':status': 200 }, { endStream: true, sendDate: false } as object)

describe('an answer of a backend that speaks HTTP/2', () => {
  it('[wire:h2-empty-answer] without a body has a length in HTTP/1.1, and its connection goes on', async () => {
    const { gate } = await scene(ended)
    const client = await h.client(gate)
    const first = await client.request()
    expect([first.status, first.header('content-length'), first.body]).toEqual([200, '0', ''])
    expect((await client.request({ method: 'POST' })).header('content-length')).toBe('0')
  })

  it('[wire:h2-empty-answer] without a body is nothing but a head in HTTP/2', async () => {
    const { gate } = await scene(ended)
    const answer = await (await h.http2(gate)).request()
    expect(answer).toMatchObject({ status: 200, body: '', head: ':status: 200\r\n', resetCode: 0 })
  })

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('[wire:h2-empty-answer] to %s that is a %i gets no length that it did not have', async (method, status) => {
    const { gate } = await scene(({ stream }) => stream.respond({ ':status': status }, { endStream: true }))
    const client = await h.client(gate)
    const answer = await client.request({ method })
    expect([answer.status, answer.header('content-length')]).toEqual([status, undefined])
    expect((await client.request({ method })).status).toBe(status)
  })

  it.each(['client', 'http2'] as const)(
    '[wire:h2-head-at-once] reaches a %s when its head has come, however long its body takes',
    async (version) => {
      let finish = (): void => {}
      const { gate } = await scene(({ stream }) => {
        stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
        finish = () => stream.end('data: 1\n\n')
      })
      if (version === 'client') {
        const client = await h.client(gate)
        client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
        await expect.poll(() => client.received).toContain('content-type: text/event-stream\r\n')
        finish()
        expect((await client.answer()).body).toBe('data: 1\n\n')
      } else {
        const stream = (await h.http2(gate)).open({}, true)
        await new Promise((resolve) => stream.once('response', resolve))
        finish()
      }
    },
  )

  it('[wire:exchange-expect] its 100 reaches a client of HTTP/1.1, which waits for it', async () => {
    const { gate } = await scene(({ stream }) => {
      stream.additionalHeaders({ ':status': 100 })
      let body = ''
      stream.on('data', (bytes: Buffer) => {
        body += bytes.toString()
      })
      stream.on('end', () => {
        stream.respond({ ':status': 200 })
        stream.end(body)
      })
    })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    client.send('hello')
    expect(await client.answer()).toMatchObject({ status: 200, body: 'hello' })
  })

  it('[wire:h2-upstream] is that of its only endpoint for a client of HTTP/1.0 that names no host', async () => {
    const { web, gate } = await scene(ended)
    const client = await h.client(gate)
    client.send('GET / HTTP/1.0\r\n\r\n')
    await client.closed()
    expect(client.received).toMatch(/^HTTP\/1\.1 200 /)
    expect(web.streams[0]?.header(':authority')).toBe(`127.0.0.1:${web.port}`)
  })
})
