/** Fields that one should say once, and that some say twice: such a message goes on as it came. */
import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

/** Those that may be trailers. */
const single = [
  'Access-Control-Allow-Credentials',
  'Access-Control-Max-Age',
  'Access-Control-Request-Method',
  'DNT',
  'ETag',
  'From',
  'Last-Modified',
  'Referer',
  'Tk',
  'Upgrade-Insecure-Requests',
  'User-Agent',
  'X-Content-Type-Options',
]
const twice = single.flatMap((name) => [`${name}: 1`, `${name}: 2`])
const lines = single.map((name) => `${name.toLowerCase()}: 1\r\n${name.toLowerCase()}: 2\r\n`)
/** Others that are said once, in an interim answer. */
const more = [
  'Age',
  'Authorization',
  'Content-Encoding',
  'Content-Language',
  'Content-Location',
  'Content-MD5',
  'Content-Range',
  'Content-Type',
]
const chunked = `Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${twice.join('\r\n')}\r\nX-A: 1\r\nX-A: 2\r\n\r\n`

describe('fields that are repeated', () => {
  it('[wire:h2-repeated] in an interim answer reach a client of HTTP/2', async () => {
    const fields = [...twice, ...more.flatMap((name) => [`${name}: 1`, `${name}: 2`]), 'Link: </a>', 'Link: </b>']
    const { gate } = await h.scene(always(`HTTP/1.1 103 Early Hints\r\n${fields.join('\r\n')}\r\n\r\n${response('ok')}`))
    const client = await h.http2(gate)
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok', interim: [103] })
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok' })
  })

  it('[wire:h2-repeated] in trailers of a backend reach a client of HTTP/2', async () => {
    const { gate } = await h.scene(always(`HTTP/1.1 200 OK\r\n${chunked}`))
    const client = await h.http2(gate)
    const answer = await client.request()
    expect(answer).toMatchObject({ status: 200, body: 'ok', resetCode: 0 })
    for (const line of [...lines, 'x-a: 1\r\nx-a: 2\r\n']) expect(answer.trailers).toContain(line)
    expect((await client.request()).status).toBe(200)
  })

  it('[wire:h2-repeated] in trailers of a client reach a backend that speaks HTTP/2', async () => {
    let trailers: readonly string[] = []
    const web = await h.http2Backend(({ stream }) => {
      stream.on('trailers', (_headers: unknown, _flags: unknown, ...rest: unknown[]) => {
        trailers = rest[0] as string[]
      })
      stream.resume()
      stream.on('end', () => stream.respond({ ':status': 204 }, { endStream: true }))
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] })
    const client = await h.client(gate)
    client.send(`POST / HTTP/1.1\r\nHost: a.example\r\n${chunked}`)
    expect((await client.answer()).status).toBe(204)
    expect(trailers).toHaveLength(4 * single.length + 4)
    expect(trailers.filter((value) => value === '2')).toHaveLength(single.length + 1)
    expect((await client.request()).status).toBe(204)
  })
})
