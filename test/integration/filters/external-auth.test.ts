import { describe, expect, it } from 'vitest'
import type { ExternalAuthConfig, FilterConfig } from '../../../src/config/filter.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import type { GatewayOptions } from '../../harness/gateway.ts'
import type { RuleSketch } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'
import type { ReceivedRequest } from '../../harness/received-requests.ts'
import { always, type Respond, response } from '../../harness/scripted-backend.ts'
import { versions } from './versions.ts'

const h = harness()

function auth(change: Partial<ExternalAuthConfig> = {}): ExternalAuthConfig {
  return {
    kind: 'externalAuth',
    protocol: 'http',
    target: { kind: 'pool', pool: 'guard' },
    pathPrefix: '',
    requestHeaders: [],
    responseHeaders: [],
    maxBody: 0,
    ...change,
  }
}

interface Guarded {
  readonly filter?: Partial<ExternalAuthConfig>
  readonly filters?: readonly FilterConfig[]
  readonly guard?: Respond
  readonly rule?: RuleSketch
  readonly options?: GatewayOptions
}

const allow = always(response('', '200 OK'))

/** Names in lower case, sorted. */
function linesOf(request: ReceivedRequest | undefined): string[] {
  const lines = request?.head.split('\r\n').slice(1, -1) ?? []
  return lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase() + line.slice(line.indexOf(':'))).sort()
}

async function scene({ filter, filters = [], guard = allow, rule, options }: Guarded = {}) {
  const web = await h.backend(always(response('web')))
  const server = await h.backend(guard)
  const gate = await h.gateway(
    {
      pools: { web: [web.port], guard: [server.port], none: [] },
      rules: [{ backends: ['web'], filters: [auth(filter), ...filters], ...rule }],
    },
    options,
  )
  return { web, guard: server, gate }
}

describe.each(versions(h))('external authorisation over $name', ({ connect }) => {
  it('[wire:auth-question] the server is asked before the backend: with method, Host, path, query, Authorization and a length of 0', async () => {
    const { web, guard, gate } = await scene()
    const client = await connect(gate)
    for (const method of ['GET', 'POST', 'DELETE']) {
      const body = method === 'POST' ? { body: 'secret' } : {}
      const answer = await client.request({ method, target: '/a/b?c=1', fields: ['Authorization: Basic x', 'Cookie: a=1'], ...body })
      expect([answer.status, answer.body]).toEqual([200, 'web'])
    }
    for (const [index, method] of ['GET', 'POST', 'DELETE'].entries()) {
      const question = guard.requests[index]
      expect(question?.line).toBe(`${method} /a/b?c=1 HTTP/1.1`)
      expect(linesOf(question)).toEqual(['authorization: Basic x', 'content-length: 0', 'host: a.example'])
    }
    expect(web.requests.map(({ body }) => body)).toEqual(['', 'secret', ''])
    // Its connection is kept.
    expect(guard.connections).toHaveLength(1)
  })

  it('[wire:auth-question] the path has the prefix before it', async () => {
    const { web, guard, gate } = await scene({ filter: { pathPrefix: '/check' } })
    await (await connect(gate)).request({ target: '/a/./b?c' })
    expect(guard.request.line).toBe('GET /check/a/b?c HTTP/1.1')
    expect(web.request.line).toBe('GET /a/b?c HTTP/1.1')
  })

  it('[wire:auth-fields] chosen fields go along, framing and hop-by-hop fields never', async () => {
    const requestHeaders = ['cookie', 'x-token', 'te', 'connection', 'upgrade', 'transfer-encoding', 'keep-alive', 'proxy-authorization']
    const { guard, gate } = await scene({ filter: { requestHeaders } })
    const fields = ['Cookie: a=1', 'X-Token: 1', 'X-Token: 2', 'X-Other: 1', 'TE: trailers', 'Proxy-Authorization: p']
    await (await connect(gate)).request({ method: 'POST', fields, body: 'x' })
    expect(linesOf(guard.request)).toEqual(['content-length: 0', 'cookie: a=1', 'host: a.example', 'x-token: 1', 'x-token: 2'])
  })

  it('[wire:auth-fields] of the client it hears what the gateway says, not what the client says of itself', async () => {
    const { guard, gate } = await scene({ filter: { requestHeaders: ['x-forwarded-for', 'x-real-ip', 'x-forwarded-proto'] } })
    await (await connect(gate)).request({ fields: ['X-Forwarded-For: 6.6.6.6', 'X-Real-IP: 6.6.6.6'] })
    expect(guard.request.headers('x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(guard.request.headers('x-forwarded-proto')).toEqual(['http'])
    expect(guard.request.headers('x-real-ip')).toEqual([])
  })

  it('[wire:auth-fields] it hears of the request as it came, before the header filters', async () => {
    const edits: FilterConfig = { kind: 'requestHeaders', set: [{ name: 'X-Token', value: 'filter' }], add: [], remove: [] }
    const { web, guard, gate } = await scene({ filter: { requestHeaders: ['x-token'] }, filters: [edits] })
    await (await connect(gate)).request({ fields: ['X-Token: client'] })
    expect(guard.request.headers('x-token')).toEqual(['client'])
    expect(web.request.headers('x-token')).toEqual(['filter'])
  })

  it("[wire:auth-allowed] listed fields of its answer replace the client's, and those that it does not send are taken away", async () => {
    const guard = always(response('', '200 OK', 'X-User: anna\r\nX-Group: a\r\nX-Group: b\r\nX-Other: 1\r\n'))
    const { web, gate } = await scene({ filter: { responseHeaders: ['x-user', 'x-group', 'x-admin'] }, guard })
    await (await connect(gate)).request({ fields: ['X-User: root', 'x-USER: root', 'X-Admin: yes', 'X-Group: wheel', 'X-Other: client'] })
    const headers = (name: string) => web.request.headers(name)
    expect(headers('x-user')).toEqual(['anna'])
    expect(headers('x-group')).toEqual(['a', 'b'])
    expect(headers('x-admin')).toEqual([])
    expect(headers('x-other')).toEqual(['client'])
  })

  it('[wire:auth-allowed] without a list all of them are copied, but for what frames and describes its own message', async () => {
    const fields = 'X-User: anna\r\nHost: evil.example\r\nContent-Type: text/html\r\nX-Forwarded-User: anna\r\nKeep-Alive: timeout=5\r\n'
    const { web, gate } = await scene({ guard: always(response('yes', '200 OK', fields)) })
    await (await connect(gate)).request({ method: 'POST', fields: ['Content-Type: application/json'], body: '{}' })
    const headers = (name: string) => web.request.headers(name)
    expect(headers('x-user')).toEqual(['anna'])
    expect(headers('x-forwarded-user')).toEqual(['anna'])
    expect(headers('host')).toEqual(['a.example'])
    expect(headers('content-type')).toEqual(['application/json'])
    expect(headers('keep-alive')).toEqual([])
    expect(web.request.body).toBe('{}')
  })

  it('[wire:auth-allowed] filters come after it', async () => {
    const edits: FilterConfig = { kind: 'requestHeaders', set: [], add: [{ name: 'X-User', value: 'filter' }], remove: [] }
    const { web, gate } = await scene({ guard: always(response('', '200 OK', 'X-User: anna\r\n')), filters: [edits] })
    await (await connect(gate)).request({ fields: ['X-User: root'] })
    expect(web.request.headers('x-user')).toEqual(['anna', 'filter'])
  })

  it.each(['201 Created', '204 No Content', '302 Found', '401 Unauthorized', '403 Forbidden', '500 No'])(
    '[wire:auth-denied] any other answer goes to the client as it is: %s',
    async (status) => {
      const body = status.startsWith('204') ? '' : 'who are you?'
      const guard = always(response(body, status, 'WWW-Authenticate: Basic\r\nLocation: /login\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n'))
      const { web, gate } = await scene({ guard })
      const client = await connect(gate)
      for (let asked = 0; asked < 2; asked += 1) {
        const answer = await client.request()
        expect([answer.status, answer.body]).toEqual([Number(status.slice(0, 3)), body])
        expect(answer.header('www-authenticate')).toBe('Basic')
        expect(answer.header('location')).toBe('/login')
        expect(answer.headers('set-cookie')).toEqual(['a=1', 'b=2'])
      }
      expect(web.connections).toHaveLength(0)
      expect((await gate.record(1)).flag).toBe('auth-denied')
    },
  )

  it('[wire:auth-denied] a large answer is relayed whole, and its connection is used again', async () => {
    const large = 'x'.repeat(300_000)
    const { guard, gate } = await scene({ guard: always(response(large, '403 Forbidden')) })
    const client = await connect(gate)
    for (let asked = 0; asked < 3; asked += 1) expect((await client.request()).body).toBe(large)
    expect(guard.connections).toHaveLength(1)
  })

  it('[wire:auth-denied] an answer to HEAD has no body', async () => {
    const { guard, gate } = await scene({ guard: always('HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n') })
    const client = await connect(gate)
    expect((await client.request({ method: 'HEAD' })).status).toBe(403)
    expect((await client.request({ method: 'HEAD' })).status).toBe(403)
    expect(guard.connections).toHaveLength(1)
  })

  it.each([
    ['no endpoint', { filter: { target: { kind: 'pool', pool: 'none' } } }, 503],
    [
      'an unresolved target',
      { filter: { target: { kind: 'fail', backend: 'x', reason: 'BackendNotFound', message: 'no such Service' } } },
      500,
    ],
    ['a server that resets', { guard: (_request, { socket }) => void socket.resetAndDestroy() }, 503],
    ['a server that is no HTTP server', { guard: always('hello?\r\n\r\n') }, 503],
    ['a server that closes before its answer', { guard: (_request, { socket }) => void socket.end() }, 503],
    ['a server that says nothing', { guard: () => {}, options: { bounds: { authTime: 300 } } }, 504],
    ["a server slower than the rule's timeout", { guard: () => {}, rule: { request: 200 } }, 504],
  ] as [string, Guarded, number][])('[wire:auth-closed] nothing passes with %s', async (_what, guarded, status) => {
    const { web, guard, gate } = await scene(guarded)
    const client = await connect(gate)
    const answer = await client.request({ method: 'POST', body: 'x' })
    expect(answer.status).toBe(status)
    await eventually(
      () => guard.connections.every(({ ending, socket }) => ending !== 'open' || socket.destroyed),
      'the end of the questions',
    )
    await pause(20)
    expect(web.connections).toHaveLength(0)
  })

  it('[wire:auth-repeat] a kept connection that the server closed meanwhile fails nobody', async () => {
    const { web, guard, gate } = await scene({
      guard: (_request, connection) => {
        if (connection.requests.length === 1) connection.write(response('', '200 OK'))
        else connection.socket.resetAndDestroy()
      },
    })
    const client = await connect(gate)
    for (let asked = 0; asked < 4; asked += 1) expect((await client.request({ method: 'POST', body: 'x' })).status).toBe(200)
    expect(web.requests).toHaveLength(4)
    expect(guard.connections).toHaveLength(4)
  })

  it('[wire:auth-body] a wanted body goes to the server with its length and then to the backend', async () => {
    const { web, guard, gate } = await scene({ filter: { maxBody: 10_000 } })
    const client = await connect(gate)
    for (const body of ['small', 'x'.repeat(10_000), '']) {
      const answer = await client.request({ method: 'POST', ...(body !== '' && { body }) })
      expect(answer.body).toBe('web')
      expect(guard.requests.at(-1)?.body).toBe(body)
      expect(guard.requests.at(-1)?.headers('content-length')).toEqual([`${body.length}`])
      expect(web.requests.at(-1)?.body).toBe(body)
    }
  })

  it('[wire:auth-body-limit] a longer one is a 413, and nobody is asked', async () => {
    const { web, guard, gate } = await scene({ filter: { maxBody: 10 } })
    const answer = await (await connect(gate)).request({ method: 'POST', body: 'x'.repeat(11) })
    expect(answer.status).toBe(413)
    expect([web.connections.length, guard.connections.length]).toEqual([0, 0])
    expect((await gate.record()).flag).toBe('auth-body')
  })

  it('[wire:auth-order] a preflight is answered before it, a redirect only after it, and what it denies carries CORS', async () => {
    const site = 'https://a.test'
    const cors: FilterConfig = {
      kind: 'cors',
      origins: [site],
      credentials: false,
      methods: ['GET'],
      headers: [],
      exposeHeaders: [],
      maxAge: 5,
    }
    const redirect: FilterConfig = { kind: 'redirect', hostname: 'b.example', status: 302 }
    let status = '403 Forbidden'
    const { guard, gate } = await scene({
      filters: [cors, redirect],
      guard: (_request, connection) => connection.write(response('', status)),
    })
    const client = await connect(gate)
    const preflight = await client.request({ method: 'OPTIONS', fields: [`Origin: ${site}`, 'Access-Control-Request-Method: GET'] })
    expect([preflight.status, guard.connections.length]).toEqual([204, 0])
    const denied = await client.request({ fields: [`Origin: ${site}`] })
    expect([denied.status, denied.header('access-control-allow-origin')]).toEqual([403, site])
    status = '200 OK'
    expect((await client.request()).status).toBe(302)
  })

  it('[wire:auth-order] mirrors get only what was allowed, with what the server said', async () => {
    const target = await h.backend()
    const web = await h.backend()
    const guard = await h.backend((request, connection) => {
      const ok = request.line.startsWith('POST /yes')
      connection.write(response('', ok ? '200 OK' : '403 Forbidden', 'X-User: anna\r\n'))
    })
    const gate = await h.gateway({
      pools: { web: [web.port], guard: [guard.port], m: [target.port] },
      rules: [
        {
          backends: ['web'],
          filters: [auth({ maxBody: 100 }), { kind: 'mirror', target: { kind: 'pool', pool: 'm' }, numerator: 1, denominator: 1 }],
        },
      ],
    })
    const client = await connect(gate)
    expect((await client.request({ method: 'POST', target: '/no', body: 'first' })).status).toBe(403)
    expect((await client.request({ method: 'POST', target: '/yes', body: 'second' })).status).toBe(200)
    await eventually(() => target.requests.length === 1, 'the copy')
    expect(target.request.body).toBe('second')
    expect(target.request.headers('x-user')).toEqual(['anna'])
    expect(gate.runtime.mirrors.bytes).toBe(0)
  })
})

describe('external authorisation', () => {
  it('[wire:auth-allowed] sets what a client cannot strip with Connection', async () => {
    const { web, gate } = await scene({ guard: always(response('', '200 OK', 'X-User: anna\r\n')) })
    await (await h.client(gate)).request({ fields: ['Connection: X-User', 'X-User: root'] })
    expect(web.request.headers('x-user')).toEqual(['anna'])
  })

  it('[wire:auth-body] gets a chunked body with its length, and the backend gets it in chunks, with its trailers', async () => {
    const { web, guard, gate } = await scene({ filter: { maxBody: 100 } })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    await pause(30)
    expect(guard.connections).toHaveLength(0)
    client.send('2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n')
    expect((await client.answer()).body).toBe('web')
    expect(guard.request.body).toBe('abcde')
    expect(guard.request.headers('content-length')).toEqual(['5'])
    expect(guard.request.headers('transfer-encoding')).toEqual([])
    expect(web.request.body).toBe('abcde')
    expect(web.request.headers('transfer-encoding')).toEqual(['chunked'])
    expect(web.request.trailers).toContain('X-Sum: 5')
  })

  it('[wire:auth-allowed] is decided by the head of the answer: a body that follows is thrown away, or breaks off', async () => {
    const large = 'x'.repeat(200_000)
    const { web, guard, gate } = await scene({
      guard: ({ line }, { socket }) => {
        if (line.includes('/large')) socket.write(response(large))
        else {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')
          setTimeout(() => socket.resetAndDestroy(), 20)
        }
      },
    })
    const client = await h.client(gate)
    expect((await client.request({ target: '/large' })).body).toBe('web')
    expect((await client.request({ target: '/large' })).body).toBe('web')
    expect((await client.request({ target: '/broken' })).body).toBe('web')
    await eventually(() => gate.runtime.sideRequests.size === 0, 'the end of the answers')
    expect((await client.request({ target: '/large' })).body).toBe('web')
    expect(web.requests).toHaveLength(4)
    expect(guard.connections.length).toBeLessThanOrEqual(4)
  })

  it('[wire:auth-repeat] is asked once more when it says in HTTP/2 that it has not processed the question', async () => {
    const web = await h.backend()
    const guard = await h.http2Backend(({ stream }) =>
      guard.streams.length === 1 ? stream.close(7) : stream.respond({ ':status': 200 }, { endStream: true }),
    )
    const gate = await h.gateway({
      pools: { web: [web.port], guard: [guard.port] },
      h2c: ['guard'],
      rules: [{ backends: ['web'], filters: [auth({ maxBody: 100 })] }],
    })
    expect((await (await h.client(gate)).request({ method: 'POST', body: 'hello' })).body).toBe('ok')
    expect([guard.streams.length, web.request.body]).toEqual([2, 'hello'])
  })

  it('[wire:auth-question] is asked over HTTP/2 where the server speaks it', async () => {
    const web = await h.backend()
    const guard = await h.http2Backend((asked) => {
      const { stream } = asked
      stream.respond({ ':status': asked.header('authorization') === 'yes' ? 200 : 403, 'x-user': 'anna' })
      stream.end('answer')
    })
    const gate = await h.gateway({
      pools: { web: [web.port], guard: [guard.port] },
      h2c: ['guard'],
      rules: [{ backends: ['web'], filters: [auth({ maxBody: 100, responseHeaders: ['x-user'] })] }],
    })
    const client = await h.client(gate)
    expect((await client.request({ method: 'POST', fields: ['Authorization: yes'], body: 'hello' })).body).toBe('ok')
    expect([web.request.headers('x-user'), web.request.body]).toEqual([['anna'], 'hello'])
    const denied = await client.request({ target: '/a' })
    expect([denied.status, denied.body]).toEqual([403, 'answer'])
    const told = guard.streams.map((asked) => [':method', ':path', ':authority', 'content-length'].map((name) => asked.header(name)))
    expect(told).toEqual([
      ['POST', '/', 'a.example', '5'],
      ['GET', '/a', 'a.example', '0'],
    ])
  })

  it('[wire:auth-body-limit] ends a chunked body where it becomes too long', async () => {
    const { web, guard, gate } = await scene({ filter: { maxBody: 4 } })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n')
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([413, 'close'])
    expect([web.connections.length, guard.connections.length]).toEqual([0, 0])
    expect(await client.closed()).toBe('end')
  })

  it('[wire:auth-expect] the gateway asks for a body itself that the server is to get, and the backend is not asked again', async () => {
    const { web, gate } = await scene({ filter: { maxBody: 100 } })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    client.send('abc')
    expect((await client.answer()).body).toBe('web')
    expect(web.request.headers('expect')).toEqual([])
    expect(web.request.body).toBe('abc')
  })

  it('[wire:auth-expect] a body that it is not to get is not asked for when the request is denied', async () => {
    const { gate } = await scene({ guard: always(response('no', '403 Forbidden')) })
    const client = await h.client(gate)
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([403, 'close'])
  })

  it('[wire:auth-upgrade] an upgrade is asked about like any request, and denied like any', async () => {
    const web = await h.backend(always('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'))
    let status = '403 Forbidden'
    const guard = await h.backend((_request, connection) => connection.write(response('', status)))
    const gate = await h.gateway({
      pools: { web: [web.port], guard: [guard.port] },
      rules: [{ backends: ['web'], filters: [auth()] }],
    })
    const upgrade = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
    const client = await h.client(gate)
    client.send(upgrade)
    expect((await client.answer()).status).toBe(403)
    expect(web.connections).toHaveLength(0)
    status = '200 OK'
    client.send(upgrade)
    expect((await client.answer()).status).toBe(101)
    expect(guard.requests.at(-1)?.headers('upgrade')).toEqual([])
  })

  it('[wire:auth-gone] a client that goes away ends the question', async () => {
    const { web, guard, gate } = await scene({ guard: () => {} })
    const client = await h.client(gate)
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    const question = await guard.connection(0)
    await eventually(() => question.requests.length === 1, 'the question')
    client.reset()
    await eventually(() => question.ending !== 'open', 'the end of the question')
    expect(web.connections).toHaveLength(0)
    expect((await gate.record()).flag).toBe('client-gone')
  })
})
