import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import type { RuleSketch } from '../../harness/gateway-config.ts'
import { type Respond, response } from '../../harness/scripted-backend.ts'
import { closedPort } from './endpoints.ts'

const h = harness()
const once = { codes: [503], attempts: 1, backoff: 1 }

const unavailable = response('sorry', '503 Service Unavailable')
const ok = response('ok')

/** Answers each request with the next of these, and with the last of them from then on. */
function inTurn(...answers: readonly string[]): Respond {
  let turn = 0
  return (_request, connection) => connection.write(answers[Math.min(turn++, answers.length - 1)] ?? '')
}

/** One endpoint that answers in turn. */
async function scene(respond: Respond, rule: Partial<RuleSketch>) {
  const web = await h.backend(respond)
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], ...rule }] })
  return { web, gate, client: await h.client(gate) }
}

describe('an answer with a code that the rule retries', () => {
  it('[wire:retry-codes] is asked for again, and the client sees only the last one', async () => {
    const { web, gate, client } = await scene(inTurn(unavailable, unavailable, ok), {
      retry: { codes: [500, 503], attempts: 3, backoff: 1 },
    })
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok' })
    expect(await gate.record()).toMatchObject({ status: 200, flag: '', attempts: 3 })
    expect(web.requests.map(({ raw }) => raw)).toEqual(Array.from({ length: 3 }, () => web.requests[0]?.raw))
    expect(gate.runtime.pools.get('web')?.counters).toMatchObject({ requests: 3, retries: 2 })
    expect((await client.request()).status).toBe(200)
  })

  it('[wire:retry-attempts] is relayed when no attempt is left', async () => {
    const { web, gate, client } = await scene(inTurn(unavailable), { retry: { codes: [503], attempts: 2, backoff: 1 } })
    expect(await client.request()).toMatchObject({ status: 503, body: 'sorry' })
    expect(await gate.record()).toMatchObject({ status: 503, flag: '', attempts: 3 })
    expect(web.requests).toHaveLength(3)
  })

  it('[wire:retry-codes] is relayed when it is another code', async () => {
    const { web, client } = await scene(inTurn(unavailable), { retry: { codes: [500], attempts: 2, backoff: 1 } })
    expect((await client.request()).status).toBe(503)
    expect(web.requests).toHaveLength(1)
  })

  it.each(['length', 'chunks', 'until close'])('[wire:retry-codes] is given up whatever frames its body: %s', async (framing) => {
    const bodies: Record<string, string> = {
      length: 'Content-Length: 100\r\n\r\nabc',
      chunks: 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      'until close': '\r\nabc',
    }
    const { web, client } = await scene(inTurn(`HTTP/1.1 503 Sorry\r\n${bodies[framing]}`, ok), { retry: once })
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok' })
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the first connection')
    expect((await client.request()).body).toBe('ok')
  })

  it('[wire:retry-elsewhere] is asked of another endpoint if there is one', async () => {
    const sick = await h.backend(inTurn(unavailable))
    const web = await h.backend()
    const gate = await h.gateway({ pools: { web: [sick.port, web.port] }, rules: [{ backends: ['web'], retry: once }] })
    const client = await h.client(gate)
    for (let i = 0; i < 20; i++) expect((await client.request({ method: 'POST', body: `${i}` })).status).toBe(200)
    expect(sick.requests.length).toBeGreaterThan(0)
    expect(web.requests).toHaveLength(20)
  })
})

describe('a request with a body', () => {
  it.each([
    ['of 100 bytes', 100],
    ['of 64 KiB', 64 * 1024],
  ])('[wire:retry-body] %s is sent again whole', async (_name, length) => {
    const body = 'x'.repeat(length - 1) + 'y'
    const { web, client } = await scene(inTurn(unavailable, ok), { retry: once })
    expect((await client.request({ method: 'POST', body })).status).toBe(200)
    expect(web.requests.map((request) => request.body === body)).toEqual([true, true])
    expect((await client.request()).status).toBe(200)
  })

  it('[wire:retry-body] of more than 64 KiB is not sent again', async () => {
    const { web, client } = await scene(inTurn(unavailable, ok), { retry: once })
    expect((await client.request({ method: 'POST', body: 'x'.repeat(64 * 1024 + 1) })).status).toBe(503)
    expect(web.requests).toHaveLength(1)
  })

  it('[wire:retry-body] that is still coming goes on to the next attempt, chunks and trailers too', async () => {
    const { web, client } = await scene(() => {}, { retry: { ...once, backoff: 30 } })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    const first = await web.connection(0)
    await eventually(() => first.bytes.endsWith('3\r\nabc\r\n'), 'the beginning of the body')
    first.write(unavailable)
    await eventually(() => first.ending !== 'open', 'the end of the first attempt')
    // In the pause.
    client.send('3\r\ndef\r\n')
    const second = await web.connection(1)
    await eventually(() => second.bytes.includes('def'), 'what came in the pause')
    client.send('3\r\nghi\r\n0\r\nX-Sum: 1\r\n\r\n')
    await eventually(() => second.requests.length === 1, 'the whole request')
    expect(second.requests[0]).toMatchObject({ body: 'abcdefghi', trailers: 'X-Sum: 1\r\n' })
    second.write(ok)
    expect(await client.answer('POST')).toMatchObject({ status: 200 })
  })

  it('[wire:retry-body] that grows beyond the bound in the pause is read no further, and arrives whole', async () => {
    const { web, client } = await scene(() => {}, { retry: { ...once, backoff: 150 } })
    const total = 2 * 1024 * 1024
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\nx`)
    const first = await web.connection(0)
    await eventually(() => first.bytes.endsWith('\r\n\r\nx'), 'the beginning of the body')
    first.write(unavailable)
    await eventually(() => first.ending !== 'open', 'the end of the first attempt')
    client.send('y'.repeat(total - 1))
    const second = await web.connection(1)
    await eventually(() => second.requests.length === 1, 'the whole request')
    expect(second.requests[0]?.body === `x${'y'.repeat(total - 1)}`).toBe(true)
    second.write(ok)
    expect((await client.answer('POST')).status).toBe(200)
  })

  it('[wire:retry-body] that waits for a 100 is retried before it was sent', async () => {
    const { web, client } = await scene(() => {}, { retry: once })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
    const first = await web.connection(0)
    await eventually(() => first.bytes.endsWith('\r\n\r\n'), 'the head')
    first.write(unavailable)
    const second = await web.connection(1)
    await eventually(() => second.bytes.endsWith('\r\n\r\n'), 'the head again')
    second.write('HTTP/1.1 100 Continue\r\n\r\n')
    expect((await client.answer('POST')).status).toBe(100)
    client.send('abc')
    await eventually(() => second.bytes.endsWith('abc'), 'the body')
    second.write(ok)
    expect((await client.answer('POST')).status).toBe(200)
  })
})

describe('a connection', () => {
  it('[wire:retry-connect] that is not established is retried, any method, and each try is one of the attempts', async () => {
    const gate = await h.gateway({
      pools: { web: [await closedPort(), await closedPort(), await closedPort(), await closedPort()] },
      rules: [{ backends: ['web'], retry: { codes: [], attempts: 2, backoff: 1 } }],
    })
    const client = await h.client(gate)
    expect((await client.request({ method: 'POST', body: 'x' })).status).toBe(502)
    expect(await gate.record()).toMatchObject({ attempts: 3, flag: 'connect-failed' })
  })

  it('[wire:retry-attempts] that is not established is tried once with attempts: 0', async () => {
    const gate = await h.gateway({
      pools: { web: [await closedPort(), await closedPort()] },
      rules: [{ backends: ['web'], retry: { codes: [502], attempts: 0 } }],
    })
    const client = await h.client(gate)
    expect((await client.request()).status).toBe(502)
    expect(await gate.record()).toMatchObject({ attempts: 1 })
  })

  it('[wire:retry-attempts] that was used before and closes is not replaced with attempts: 0', async () => {
    let turn = 0
    const respond: Respond = (_request, connection) => (turn++ === 1 ? connection.socket.destroy() : connection.write(ok))
    const { web, client } = await scene(respond, { retry: { codes: [], attempts: 0 } })
    expect([(await client.request()).status, (await client.request()).status]).toEqual([200, 502])
    expect(web.requests).toHaveLength(2)
  })

  it.each([
    ['GET', [502], 200],
    ['GET', [503], 502],
    ['POST', [502], 502],
    ['DELETE', [502], 502],
  ] as const)('[wire:retry-sent] that is new and closes under a %s with codes %s gives %s', async (method, codes, status) => {
    let turn = 0
    const respond: Respond = (_request, connection) => (turn++ === 0 ? connection.socket.destroy() : connection.write(ok))
    const { web, client } = await scene(respond, { retry: { codes, attempts: 1, backoff: 1 } })
    expect((await client.request({ method })).status).toBe(status)
    expect(web.requests).toHaveLength(status === 200 ? 2 : 1)
  })

  it('[wire:retry-sent] that closes after a first byte of the answer is not retried', async () => {
    const { web, gate, client } = await scene(
      (_request, connection) => {
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')
        setTimeout(() => connection.socket.destroy(), 20)
      },
      { retry: { codes: [502], attempts: 3, backoff: 1 } },
    )
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(client.received).toMatch(/abc$/)
    expect(await gate.record()).toMatchObject({ status: 200, flag: 'upstream-closed', attempts: 1 })
    expect(web.requests).toHaveLength(1)
  })
})

describe('a retry', () => {
  it('[wire:retry-timeouts] follows an attempt that took longer than backendRequest, whatever the method', async () => {
    let turn = 0
    const respond: Respond = (_request, connection) => void (turn++ > 0 && connection.write(ok))
    const { web, gate, client } = await scene(respond, { backendRequest: 60, retry: once })
    expect((await client.request({ method: 'POST', body: 'x' })).status).toBe(200)
    expect(await gate.record()).toMatchObject({ attempts: 2, flag: '' })
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the first attempt')
  })

  it('[wire:retry-timeouts] gives 504 when the last attempt takes too long too', async () => {
    const { gate, client } = await scene(() => {}, { backendRequest: 30, retry: once })
    expect((await client.request()).status).toBe(504)
    expect(await gate.record()).toMatchObject({ attempts: 2, flag: 'upstream-timeout' })
  })

  it('[wire:retry-timeouts] is bounded with all the others, and their pauses, by request', async () => {
    const { web, gate, client } = await scene(inTurn(unavailable), { request: 100, retry: { codes: [503], attempts: 50, backoff: 60 } })
    const began = performance.now()
    expect((await client.request()).status).toBe(504)
    expect(performance.now() - began).toBeLessThan(1_000)
    expect(await gate.record()).toMatchObject({ flag: 'upstream-timeout' })
    const sent = web.requests.length
    await pause(100)
    expect(web.requests).toHaveLength(sent)
  })

  it('[wire:retry-backoff] comes after a pause', async () => {
    const { gate, client } = await scene(inTurn(unavailable, ok), { retry: { codes: [503], attempts: 1, backoff: 80 } })
    expect((await client.request()).status).toBe(200)
    expect((await gate.record()).duration).toBeGreaterThanOrEqual(55)
  })

  it('[wire:retry-budget] is not made while more than a fifth of the requests under way are retried', async () => {
    const { web, gate } = await scene(inTurn(unavailable), { retry: { codes: [503], attempts: 1, backoff: 400 } })
    const clients = await Promise.all(Array.from({ length: 24 }, () => h.client(gate)))
    const answers = await Promise.all(clients.map((client) => client.request()))
    expect(answers.map(({ status }) => status)).toEqual(clients.map(() => 503))
    const counters = gate.runtime.pools.get('web')?.counters
    expect(counters).toMatchObject({ retries: 10, retriesRefused: 14 })
    expect(web.requests).toHaveLength(34)
    // What was taken was given back.
    await Promise.all(clients.slice(0, 10).map((client) => client.request()))
    expect(counters).toMatchObject({ retries: 20, retriesRefused: 14 })
  })

  it('is not made for a client that has gone meanwhile', async () => {
    const { web, gate, client } = await scene(inTurn(unavailable), { retry: { codes: [503], attempts: 5, backoff: 50 } })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => web.requests.length === 1, 'the first attempt')
    client.reset()
    expect(await gate.record()).toMatchObject({ flag: 'client-gone' })
    await pause(120)
    expect(web.requests.length).toBeLessThanOrEqual(2)
    expect(gate.runtime.pools.get('web')?.beginRetry()).toBe(true)
  })

  it('[wire:retry-backend] stays in its backend, and leaves it only when nothing is left there', async () => {
    const [one, two] = [await h.backend(inTurn(unavailable)), await h.backend()]
    const share = (pool: string, weight: number) => ({ kind: 'pool', pool, weight, filters: [] }) as const
    const rules = [{ backends: [share('one', 1000), share('two', 1)], retry: { codes: [503], attempts: 1, backoff: 60 } }]
    const gate = await h.gateway({ pools: { one: [one.port], two: [two.port] }, rules })
    const client = await h.client(gate)
    expect((await client.request()).status).toBe(503)
    expect([one.requests.length, two.requests.length]).toEqual([2, 0])
    const answer = client.request()
    await eventually(() => one.requests.length === 3, 'the first attempt')
    gate.update({ pools: { one: [], two: [two.port] }, rules })
    expect((await answer).status).toBe(200)
    expect([one.requests.length, two.requests.length]).toEqual([3, 1])
  })

  it('[wire:retry-unasked] is not made without a stanza, whatever the code', async () => {
    const { web, gate, client } = await scene(inTurn(unavailable), {})
    expect((await client.request()).status).toBe(503)
    expect(web.requests).toHaveLength(1)
    expect(gate.runtime.pools.get('web')?.counters.retries).toBe(0)
  })
})

describe('a request that waited for a 100', () => {
  it('[wire:retry-expect] asks for none when it is sent again, and its client hears of one only', async () => {
    let asked = 0
    const web = await h.backend(
      (_request, connection) => connection.write(asked++ === 0 ? unavailable : ok),
      (connection) => {
        if (connection.bytes.includes('Expect') && connection.requests.length === 0) connection.write('HTTP/1.1 100 Continue\r\n\r\n')
      },
    )
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], retry: once }] })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    client.send('hello')
    expect(await client.answer()).toMatchObject({ status: 200, body: 'ok' })
    expect(web.requests.map(({ raw }) => /^expect:/im.test(raw))).toEqual([true, false])
    expect(web.requests.map(({ raw }) => raw.endsWith('\r\n\r\nhello'))).toEqual([true, true])
  })
})

describe('a gRPC call on a rule with a stanza', () => {
  const call = { method: 'POST', body: '\0\0\0\0\0', fields: ['content-type: application/grpc', 'te: trailers'] }

  /** Trailers-only answers with these statuses by turns. */
  async function called(statuses: readonly number[], attempts: number) {
    const web = await h.http2Backend(({ stream }) =>
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': statuses[web.streams.length - 1] ?? 0 },
        { endStream: true },
      ),
    )
    const retry = { codes: [500], attempts, backoff: 1 }
    const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'], retry }] })
    const answer = await (await h.http2(gate)).request(call)
    return { status: answer.header('grpc-status'), asked: web.streams.length }
  }

  it('[wire:retry-grpc] that is answered with UNAVAILABLE and nothing else is made again', async () => {
    expect(await called([14, 14, 0], 2)).toEqual({ status: '0', asked: 3 })
    expect(await called([14, 14, 0], 1)).toEqual({ status: '14', asked: 2 })
  })

  it('[wire:retry-grpc] is not made again for another status, or without attempts', async () => {
    expect(await called([13, 0], 2)).toEqual({ status: '13', asked: 1 })
    expect(await called([14, 0], 0)).toEqual({ status: '14', asked: 1 })
  })
})
