import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

/** Every byte value, so that no coding on the way can hide. */
const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('')

function chunked(...chunks: string[]): string {
  const full = chunks.filter((chunk) => chunk !== '')
  return full.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('') + '0\r\n\r\n'
}

describe("a request's body", () => {
  it.each([0, 1, 4096, 4097, 70_000, 1_000_000])('of %i bytes arrives as it is, by length and in chunks', async (length) => {
    const { web, client } = await h.scene()
    const body = everyByte.repeat(Math.ceil(length / 256)).slice(0, length)
    expect((await client.request({ method: 'POST', body })).status).toBe(200)
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(body)}`)
    expect((await client.answer()).status).toBe(200)
    expect(web.requests.map((request) => request.body === body)).toEqual([true, true])
    expect(web.requests[0]?.headers('content-length')).toEqual([String(length)])
    expect(web.requests[1]?.headers('transfer-encoding')).toEqual(['chunked'])
    expect(web.rest).toBe('')
  })

  it('arrives whole when it comes byte by byte', async () => {
    const { web, client } = await h.scene()
    const bytes = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked('abc', 'de')}`
    for (const byte of bytes) {
      client.send(byte)
      await pause(0)
    }
    expect((await client.answer()).status).toBe(200)
    expect(web.request.body).toBe('abcde')
  })

  it('[wire:exchange-reframed] is framed anew: extensions are dropped', async () => {
    const { web, client } = await h.scene()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n003;x=1\r\nabc\r\n0;y\r\n\r\n')
    await client.answer()
    expect(web.request.raw).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/)
  })

  it.each(['GET', 'DELETE', 'HEAD', 'OPTIONS'])('[wire:exchange-any-body] is kept on %s', async (method) => {
    const { web, client } = await h.scene(always('HTTP/1.1 204 No Content\r\n\r\n'))
    expect((await client.request({ method, body: 'abc' })).status).toBe(204)
    expect((await client.request({ method })).status).toBe(204)
    expect(web.requests.map(({ body }) => body)).toEqual(['abc', ''])
  })

  it('[wire:exchange-trailers] keeps trailers that may be forwarded, and none else', async () => {
    const { web, client } = await h.scene()
    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nAuthorization: x\r\nHost: b\r\n\r\n',
    )
    expect((await client.answer()).status).toBe(200)
    expect(web.request.trailers).toBe('X-Sum: 1\r\n')
  })

  it('[wire:exchange-broken-body] that breaks its framing gives 400; the backend never sees an end, and its connection dies', async () => {
    const { web, gate, client } = await h.scene()
    await client.request()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX')
    expect((await client.answer()).status).toBe(400)
    expect(await client.closed()).toBe('end')
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    expect(web.requests).toHaveLength(1)
    expect(web.rest).not.toContain('0\r\n\r\n')
    expect((await (await h.client(gate)).request()).body).toBe('ok')
  })

  it('[wire:exchange-broken-body] that ends too early gives 400, and the backend never sees an end', async () => {
    const { web, gate, client } = await h.scene()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
    client.end()
    expect((await client.answer()).status).toBe(400)
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    expect(web.requests).toEqual([])
    expect(web.rest).toMatch(/\r\n\r\nabc$/)
    expect(await gate.record()).toMatchObject({ status: 400, flag: 'client-gone' })
  })

  it('[wire:exchange-broken-body] whose client is reset ends the upstream connection', async () => {
    const { web, gate, client } = await h.scene()
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    await eventually(() => web.rest.endsWith('abc\r\n'), 'the first chunk')
    client.reset()
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    expect(web.requests).toEqual([])
    expect(await gate.record()).toMatchObject({ flag: 'client-gone' })
  })

  it('[wire:exchange-back-pressure] is not read faster than the backend takes it', async () => {
    const { web, gate, client } = await h.scene(undefined)
    const total = 40_000_000
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`)
    const connection = await web.connection(0)
    await eventually(() => connection.bytes.includes('\r\n\r\n'), 'the head')
    connection.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    client.send('x'.repeat(total))
    await pause(300)
    expect(client.socket.writableLength).toBeGreaterThan(1_000_000)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(total + 30_000_000)
    expect(gate.runtime.counters.requests).toBe(1)
    client.reset()
  })

  it('[wire:exchange-write-stuck] that the backend does not take is given up with 504', async () => {
    const { gate, client } = await h.scene(undefined, { bounds: { writeStuckTime: 200 } }, (connection) => connection.socket.pause())
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000000\r\n\r\n${'x'.repeat(20_000_000)}`)
    expect((await client.answer()).status).toBe(504)
    expect(await gate.record()).toMatchObject({ status: 504, flag: 'upstream-timeout' })
  })

  it('[wire:exchange-early-answer] is no longer sent once the answer has come; both connections end', async () => {
    const { web, client } = await h.scene(undefined, {}, (connection) => {
      if (connection.bytes.endsWith('abc')) connection.write(response('too large', '413 Content Too Large'))
    })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc')
    const answer = await client.answer()
    expect(answer.status).toBe(413)
    expect(answer.header('connection')).toBe('close')
    expect(answer.body).toBe('too large')
    client.send('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await client.closed()).toBe('end')
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    expect(web.connections[0]?.bytes).not.toContain('smuggled')
  })
})

describe('an early answer', () => {
  it('[wire:exchange-early-answer] that is still under way stops the body, while the rest of it is relayed', async () => {
    const { web, client } = await h.scene(undefined, {}, (connection) => {
      if (connection.bytes.endsWith('abc\r\n')) connection.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo')
    })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc')
    await eventually(() => client.received.endsWith('too'), 'the beginning of the answer')
    client.send('\r\n3\r\ndef\r\n0\r\n\r\n')
    await pause(50)
    const [connection] = web.connections
    expect(connection?.bytes).toMatch(/abc(\r\n)?$/)
    connection?.write(' large')
    expect((await client.answer()).body).toBe('too large')
    expect(await client.closed()).toBe('end')
    expect(connection?.bytes).not.toContain('def')
  })
})

describe("an answer's body", () => {
  it.each([1, 4096, 4097, 65_536, 1_000_000])('of %i bytes arrives as it is, by length and in chunks', async (length) => {
    const body = everyByte.repeat(Math.ceil(length / 256)).slice(0, length)
    const { client } = await h.scene((request, connection) => {
      connection.write(
        request.line.includes('/chunks')
          ? `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(body.slice(0, 7), body.slice(7))}`
          : response(body),
      )
    })
    expect((await client.request()).body === body).toBe(true)
    const answer = await client.request({ target: '/chunks' })
    expect(answer.header('transfer-encoding')).toBe('chunked')
    expect(answer.body === body).toBe(true)
  })

  it('[wire:exchange-trailers] brings trailers to clients that take them, and to no other', async () => {
    const { client } = await h.scene(
      always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a\r\n\r\n'),
    )
    expect((await client.request()).trailers).toBe('')
    expect((await client.request({ fields: ['TE: trailers', 'Connection: TE'] })).trailers).toBe('X-Sum: 1\r\n')
  })

  it('[wire:exchange-back-pressure] is not read faster than the client takes it', async () => {
    const total = 30_000_000
    const { web, client } = await h.scene((_request, connection) => {
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      connection.socket.write(Buffer.alloc(total))
    })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => client.received.length > 1000, 'the beginning')
    client.socket.pause()
    await pause(200)
    const left = web.connections[0]?.socket.writableLength ?? 0
    expect(left).toBeGreaterThan(1_000_000)
    await pause(100)
    expect(web.connections[0]?.socket.writableLength).toBe(left)
    client.socket.resume()
    expect((await client.answer()).body).toHaveLength(total)
  })

  it('[wire:exchange-write-stuck] ends the connection of a client that takes nothing', async () => {
    const { web, gate, client } = await h.scene(
      (_request, connection) => {
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n')
        connection.socket.write(Buffer.alloc(30_000_000))
      },
      { bounds: { writeStuckTime: 200 } },
    )
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await gate.record()).toMatchObject({ flag: 'client-gone', status: 200 })
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
  })

  it('[wire:exchange-write-stuck] leaves a client alone that takes little, but takes', async () => {
    const { gate, client } = await h.scene(
      (_request, connection) => {
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\nConnection: close\r\n\r\n')
        connection.socket.end(Buffer.alloc(6_000_000))
      },
      { bounds: { writeStuckTime: 500 } },
    )
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    // The kernel keeps megabytes between us: what the client takes must be much in each piece to be seen at the other end.
    const sips = setInterval(() => {
      client.socket.resume()
      setTimeout(() => client.socket.pause(), 2)
    }, 200)
    await pause(2_000)
    clearInterval(sips)
    client.socket.resume()
    expect((await client.answer()).body).toHaveLength(6_000_000)
    expect(await gate.record()).toMatchObject({ flag: '' })
  })

  it.each([
    ['ends before its length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'upstream-closed'],
    ['ends before its last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'upstream-closed'],
    ['breaks its framing', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX', 'upstream-protocol'],
  ])('[wire:exchange-broken-answer] that %s is cut off: the client cannot take it for whole', async (_how, bytes, flag) => {
    const { gate, client } = await h.scene((_request, connection) => connection.socket.end(bytes))
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(client.received).not.toContain('\r\n0\r\n')
    expect(await gate.record()).toMatchObject({ status: 200, flag })
  })

  it('[wire:exchange-upstream-silence] with a length is given up when nothing comes for too long', async () => {
    const { gate, client } = await h.scene((_request, connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'), {
      bounds: { upstreamIdleBodyTime: 100 },
    })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(await gate.record()).toMatchObject({ status: 200, flag: 'upstream-timeout' })
  })

  it('[wire:exchange-upstream-silence] without a length may be silent as long as a tunnel', async () => {
    const { client } = await h.scene(
      (_request, connection) => {
        connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
        setTimeout(() => connection.write('0\r\n\r\n'), 700)
      },
      { bounds: { upstreamIdleBodyTime: 100 } },
    )
    expect((await client.request()).body).toBe('abc')
  })
})

describe('answers before the final one', () => {
  it('[wire:exchange-interim] 100 and 103 are relayed, others are not', async () => {
    const { client } = await h.scene(
      always('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n' + response('ok')),
    )
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const hint = await client.answer()
    expect([hint.status, hint.header('link')]).toEqual([103, '</a>'])
    expect((await client.answer()).body).toBe('ok')
  })

  it('[wire:exchange-interim] do not reach HTTP/1.0 clients', async () => {
    const { client } = await h.scene(always('HTTP/1.1 103 Early Hints\r\n\r\n' + response('ok')))
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    expect((await client.answer()).status).toBe(200)
  })

  it('[wire:exchange-interim] are at most ten', async () => {
    const { gate, client } = await h.scene(always('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(11) + response('ok')))
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => client.received.includes('502'), 'the answer')
    expect(await gate.record()).toMatchObject({ status: 502, flag: 'upstream-protocol' })
  })

  it('[wire:exchange-expect] a 100 comes from the backend, and lets the body flow', async () => {
    const { web, client } = await h.scene((request, connection) => connection.write(response(request.body)), {})
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n')
    const connection = await web.connection(0)
    await eventually(() => connection.bytes.includes('\r\n\r\n'), 'the head')
    expect(connection.bytes).toContain('Expect: 100-Continue\r\n')
    await pause(30)
    expect(client.received).toBe('')
    connection.write('HTTP/1.1 100 Continue\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    client.send('abc')
    expect((await client.answer()).body).toBe('abc')
  })

  it('[wire:exchange-expect] a body that does not wait is held until the 100, and sent once', async () => {
    const { web, client } = await h.scene((request, connection) => connection.write(response(request.body)))
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc')
    const connection = await web.connection(0)
    await eventually(() => connection.bytes.includes('\r\n\r\n'), 'the head')
    await pause(50)
    expect(connection.requests).toEqual([])
    connection.write('HTTP/1.1 100 Continue\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    expect((await client.answer()).body).toBe('abc')
  })

  it('[wire:exchange-expect] without a 100 the body flows after a while', async () => {
    const { client } = await h.scene((request, connection) => connection.write(response(request.body)), { bounds: { continueTime: 100 } })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc')
    expect((await client.answer()).body).toBe('abc')
  })

  it('[wire:exchange-expect] a refusal in place of the 100 ends both connections, and the body is not sent', async () => {
    const { web, gate, client } = await h.scene(undefined)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 30\r\n\r\n')
    const connection = await web.connection(0)
    await eventually(() => connection.bytes.includes('\r\n\r\n'), 'the head')
    connection.write(response('no', '417 Expectation Failed'))
    expect((await client.answer()).header('connection')).toBe('close')
    client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n12')
    expect(await client.closed()).toBe('end')
    expect(connection.bytes).not.toContain('/x')
    expect(gate.runtime.counters.requests).toBe(1)
  })
})
