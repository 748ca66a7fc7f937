import { describe, expect, it } from 'vitest'
import type { GatewayOptions } from '../../harness/gateway.ts'
import { harness } from '../../harness/harness.ts'
import type { RespondTo } from '../../harness/http2-backend.ts'
import { answerOf } from '../../harness/http2-client.ts'

const h = harness()

async function scene(respond?: RespondTo, options: GatewayOptions = {}, server?: object) {
  const web = await h.http2Backend(respond, server)
  const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, options)
  return { web, gate }
}

describe('a backend that speaks HTTP/2', () => {
  it.each(['client', 'http2'] as const)('[wire:h2-upstream] gets requests of a %s, and the client its answer', async (version) => {
    const { web, gate } = await scene(({ stream }) => {
      stream.respond({ ':status': 201, 'x-a': ['1', '2'], 'set-cookie': ['a', 'b'] }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
      stream.end('made')
    })
    const client = await h[version](gate)
    const answer = await client.request({
      method: 'POST',
      target: '/a?b',
      fields: ['te: trailers', 'x-b: \xff', 'cookie: a=1'],
      body: 'hello',
    })
    expect(answer).toMatchObject({ status: 201, body: 'made', trailers: 'x-sum: 1\r\n' })
    expect([answer.headers('x-a'), answer.headers('set-cookie')]).toEqual([
      ['1', '2'],
      ['a', 'b'],
    ])
    const [received] = web.streams
    const pseudo = [':method', ':path', ':authority', ':scheme'].map((name) => received?.header(name))
    expect(pseudo).toEqual(['POST', '/a?b', 'a.example', 'http'])
    expect([received?.header('te'), received?.header('x-b'), received?.header('cookie')]).toEqual(['trailers', '\xff', 'a=1'])
    expect([received?.header('x-forwarded-for'), received?.header('x-forwarded-host')]).toEqual(['127.0.0.1', 'a.example'])
    expect(received?.raw).not.toContain('host')
  })

  it('[wire:h2-upstream-shared] gets the requests of all clients on one connection, as many as it allows', async () => {
    const { web, gate } = await scene(
      ({ stream }) => void setTimeout(() => stream.respond({ ':status': 204 }, { endStream: true }), 50),
      {},
      {
        settings: { maxConcurrentStreams: 8 },
      },
    )
    const first = await h.http2(gate)
    await first.request()
    const clients = await Promise.all([h.http2(gate), h.http2(gate)])
    const answers = await Promise.all(clients.flatMap((client) => Array.from({ length: 8 }, () => client.request())))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204))
    expect(web.sessions).toHaveLength(2)
  })

  it.each([1, 200_000, 3_000_000])('carries bodies of %i bytes both ways as they are', async (size) => {
    const { gate } = await scene(({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    })
    const body = Array.from({ length: size }, (_, i) => String.fromCharCode(i % 251)).join('')
    expect((await (await h.http2(gate)).request({ method: 'POST', body })).body === body).toBe(true)
    expect((await (await h.client(gate)).request({ method: 'POST', body })).body.length).toBe(size)
  })

  it('[wire:h2-duplex] may answer while the request still flows', async () => {
    const { gate } = await scene(({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.on('data', (bytes: Buffer) => stream.write(`[${bytes.toString()}]`))
      stream.on('end', () => stream.end('end'))
    })
    const stream = (await h.http2(gate)).open({ method: 'POST' }, false)
    let received = ''
    stream.on('data', (bytes: Buffer) => {
      received += bytes.toString()
    })
    for (const word of ['one', 'two', 'three']) {
      stream.write(word)
      await expect.poll(() => received).toContain(`[${word}]`)
    }
    stream.end()
    await expect.poll(() => received).toBe('[one][two][three]end')
  })

  it('[wire:h2-early-end] that ends its answer early is sent no more of the request', async () => {
    const { web, gate } = await scene(({ stream }) => {
      stream.respond({ ':status': 413 }, { endStream: true })
    })
    const stream = (await h.http2(gate)).open({ method: 'POST' }, false)
    stream.write('x')
    expect(await answerOf(stream)).toMatchObject({ status: 413 })
    await expect.poll(() => web.streams[0]?.stream.closed).toBe(true)
  })

  it('[wire:h2-cancel] is told when the client gives up, and the connection goes on', async () => {
    const { web, gate } = await scene(
      ({ stream }) => void (web.streams.length > 1 && stream.respond({ ':status': 204 }, { endStream: true })),
    )
    const client = await h.http2(gate)
    const stream = client.open({ method: 'POST' }, false)
    stream.write('half')
    await expect.poll(() => web.streams.length).toBe(1)
    const received = web.streams[0]
    let ended = false
    received?.stream.on('end', () => {
      ended = received.stream.rstCode === 0
    })
    received?.stream.resume()
    // `close` of node:http2 would end the body first.
    stream.destroy(new Error('given up'))
    await expect.poll(() => received?.stream.rstCode).toBe(8)
    expect(ended).toBe(false)
    expect((await client.request()).status).toBe(204)
    expect(web.sessions).toHaveLength(1)
  })

  it.each(['client', 'http2'] as const)('[wire:h2-broken-answer] that resets its answer is not taken for done by a %s', async (version) => {
    const { gate } = await scene(({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.write('half')
      setTimeout(() => stream.destroy(new Error('broken')), 20)
    })
    if (version === 'http2') expect(await (await h.http2(gate)).request()).toMatchObject({ status: 200, resetCode: 2 })
    else {
      const client = await h.client(gate)
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
      await client.closed()
      expect(client.received).toContain('half')
      expect(client.received).not.toMatch(/\r\n0\r\n/)
    }
    expect((await gate.record()).flag).toBe('upstream-closed')
  })

  it('[wire:h2-refused-stream] that refuses a stream is asked again once, whatever the method', async () => {
    let refused = 0
    const { web, gate } = await scene(({ stream }) => {
      if (refused++ === 0) stream.close(7)
      else stream.respond({ ':status': 200 }, { endStream: true })
    })
    expect((await (await h.http2(gate)).request({ method: 'DELETE' })).status).toBe(200)
    expect(web.streams).toHaveLength(2)
  })

  it('[wire:h2-goaway] that says GOAWAY ends what it took, and later requests get a new connection', async () => {
    const { web, gate } = await scene(({ stream }) => {
      setTimeout(() => stream.respond({ ':status': 200 }, { endStream: true }), web.streams.length === 1 ? 200 : 0)
    })
    const client = await h.http2(gate)
    const first = client.request()
    await expect.poll(() => web.streams.length).toBe(1)
    web.sessions[0]?.close()
    await new Promise((resolve) => setTimeout(resolve, 30))
    const answers = await Promise.all([first, client.request(), client.request()])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(web.sessions).toHaveLength(2)
  })

  it('that is not there, or does not speak HTTP/2, is a 502', async () => {
    const old = await h.backend()
    const gate = await h.gateway({
      pools: { web: [old.port], none: [1] },
      h2c: ['web', 'none'],
      rules: [{ backends: ['web'] }, { path: '/none', backends: ['none'] }],
    })
    const client = await h.http2(gate)
    expect(await client.request()).toMatchObject({ status: 502 })
    expect(await client.request({ target: '/none' })).toMatchObject({ status: 502 })
  })

  it('[wire:exchange-back-pressure] is not read faster than the client takes it', async () => {
    let written = 0
    const { gate } = await scene(({ stream }) => {
      stream.respond({ ':status': 200 })
      const more = (): void => {
        while (written < 20_000_000) {
          written += 16_384
          if (!stream.write(Buffer.alloc(16_384))) return void stream.once('drain', more)
        }
        stream.end()
      }
      more()
    })
    const stream = (await h.http2(gate)).open({}, true)
    stream.pause()
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(written).toBeLessThan(2_000_000)
    let received = 0
    stream.on('data', (bytes: Buffer) => {
      received += bytes.length
    })
    stream.resume()
    await expect.poll(() => received, { timeout: 5_000 }).toBe(Math.ceil(20_000_000 / 16_384) * 16_384)
  })

  it('[wire:exchange-write-stuck] is left alone when it takes a body slowly, but takes it', async () => {
    let taken = 0
    const { web, gate } = await scene(
      ({ stream }) => {
        stream.on('data', (bytes: Buffer) => {
          taken += bytes.length
          stream.pause()
          setTimeout(() => stream.resume(), 375)
        })
        stream.on('end', () => {
          stream.respond({ ':status': 200 })
          stream.end('ok')
        })
      },
      { bounds: { writeStuckTime: 1_000 } },
      { settings: { initialWindowSize: 0 } },
    )
    const client = await h.http2(gate)
    // After it the gateway knows that there is no room for a body.
    await client.request()
    // When the time for taking is over, some of it waits still, but less than would stop the client.
    const length = 5 * 16_384
    const answer = client.request({ method: 'POST', body: 'x'.repeat(length) })
    await expect.poll(() => web.streams.length).toBe(2)
    setTimeout(() => web.sessions[0]?.settings({ initialWindowSize: 16_384 }), 400)
    expect(await answer).toMatchObject({ status: 200, body: 'ok' })
    expect(taken).toBe(length)
  })

  it.each([
    ['answers with HTTP/1', 'HTTP/1.0 505 HTTP Version Not Supported\r\n\r\n', 'connect-http2', 'and answered with HTTP/1'],
    ['says something else', 'SSH-2.0-x\r\n', 'connect-http2', 'and began with something else'],
    ['closes the connection', undefined, 'connect-http2', 'and closed the connection'],
    ['says nothing', '', 'connect-timeout', 'and said nothing'],
  ] as const)('[wire:h2-upstream-settings] is named as none when it %s', async (_what, said, reason, problem) => {
    const web = await h.backend(
      () => {},
      (connection) => {
        if (said === undefined) connection.socket.end()
        else if (said !== '') connection.write(said)
      },
    )
    const gate = await h.gateway(
      { pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] },
      { bounds: { connectTime: 300 } },
    )
    const client = await h.client(gate)
    expect((await client.request()).status).toBe(reason === 'connect-timeout' ? 504 : 502)
    const pool = gate.runtime.pools.get('web')
    expect([...(pool?.counters.ejections ?? [])]).toEqual([[reason, 1]])
    expect([...(pool?.endpoints ?? [])][0]?.problem).toBe(`the endpoint must speak HTTP/2, beginning with SETTINGS, ${problem}`)
  })

  it('leaves no connection behind when nothing is asked of it, and none when its pool goes', async () => {
    const { web, gate } = await scene(undefined, { bounds: { poolIdleTime: 300 } })
    const client = await h.http2(gate)
    await client.request()
    await expect.poll(() => web.sessions[0]?.destroyed, { timeout: 2_000 }).toBe(true)
    await client.request()
    expect(web.sessions).toHaveLength(2)
    gate.update({ pools: {}, rules: [] })
    await expect.poll(() => web.sessions[1]?.destroyed).toBe(true)
  })
})
