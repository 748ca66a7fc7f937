import { describe, expect, it, onTestFinished } from 'vitest'
import type { ExternalAuthConfig } from '../../../src/config/filter.ts'
import type { GatewayOptions } from '../../harness/gateway.ts'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'
import { AuthorizationServer, type CheckResponse, type Decide } from './authorization-server.ts'
import { versions } from './versions.ts'

const h = harness()

const ok: CheckResponse = { status: { code: 0 } }

async function scene(decide: Decide, change: Partial<ExternalAuthConfig> = {}, options: GatewayOptions = {}) {
  const web = await h.backend(always(response('web')))
  const guard = await AuthorizationServer.listen(decide)
  onTestFinished(() => guard.close())
  const filter: ExternalAuthConfig = {
    kind: 'externalAuth',
    protocol: 'grpc',
    target: { kind: 'pool', pool: 'guard' },
    pathPrefix: '',
    requestHeaders: [],
    responseHeaders: [],
    maxBody: 0,
    ...change,
  }
  const gate = await h.gateway(
    { pools: { web: [web.port], guard: [guard.port] }, h2c: ['guard'], rules: [{ backends: ['web'], filters: [filter] }] },
    options,
  )
  return { web, guard, gate }
}

const header = (key: string, value: string, append = false) => ({ header: { key, value }, ...(append && { append: { value: true } }) })

describe.each(versions(h))('external authorisation by gRPC over $name', ({ name, connect }) => {
  it('[wire:auth-grpc] a Check tells method, path, Host, scheme, version, size, time, the client and all fields but those of framing', async () => {
    const { web, guard, gate } = await scene(() => ok)
    const client = await connect(gate)
    const answer = await client.request({
      method: 'POST',
      target: '/a?b=c',
      fields: ['X-One: 1', 'X-One: 2', 'TE: trailers'],
      body: 'hello',
    })
    expect([answer.status, answer.body, web.request.body]).toEqual([200, 'web', 'hello'])
    const [{ attributes }] = guard.requests as [(typeof guard.requests)[0]]
    const { http, time } = attributes.request
    expect(http).toMatchObject({ method: 'POST', path: '/a?b=c', host: 'a.example', scheme: 'http', protocol: name, body: '' })
    expect(http.size).toBe(name === 'HTTP/2' ? '-1' : '5')
    expect(http.id).toBe('00000000000000aa0000000000000001')
    expect(http.headers).toEqual({
      'x-one': '1,2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example',
      'x-request-id': http.id,
    })
    expect(attributes.source.address.socket_address.address).toBe('127.0.0.1')
    expect(Math.abs(Number(time.seconds) * 1000 + time.nanos / 1e6 - Date.now())).toBeLessThan(5_000)
  })

  it('[wire:auth-grpc] with a list only its fields are told; bytes that are no UTF-8 arrive readable', async () => {
    const { guard, gate } = await scene(() => ok, { requestHeaders: ['x-one', 'x-text'] })
    await (await connect(gate)).request({ fields: ['X-One: 1', 'X-Two: 2', 'X-Text: \xe9', 'Authorization: x'] })
    expect(guard.requests[0]?.attributes.request.http.headers).toEqual({ 'x-one': '1', 'x-text': 'é' })
  })

  it('[wire:auth-grpc] a wanted body is told, as bytes where it is no text, and goes on to the backend', async () => {
    const { web, guard, gate } = await scene(() => ok, { maxBody: 10 })
    const client = await connect(gate)
    await client.request({ method: 'POST', body: 'text' })
    await client.request({ method: 'POST', body: '\xff\xfe' })
    expect((await client.request({ method: 'POST', body: 'x'.repeat(11) })).status).toBe(413)
    const told = guard.requests.map(({ attributes }) => attributes.request.http)
    expect(told.map(({ body, size }) => [body, size])).toEqual([
      ['text', '4'],
      ['', '2'],
    ])
    expect(told[1]?.raw_body).toEqual(Buffer.from([255, 254]))
    expect(web.requests.map(({ body }) => body)).toEqual(['text', '\xff\xfe'])
  })

  it('[wire:auth-grpc] OK sets, adds and removes fields of the request', async () => {
    const headers = [header('X-User', 'anna'), header('x-group', 'b', true), header('content-length', '99'), header('connection', 'close')]
    const { web, gate } = await scene(() => ({ ...ok, ok_response: { headers, headers_to_remove: ['X-Gone', 'host'] } }))
    const client = await connect(gate)
    const answer = await client.request({ method: 'POST', fields: ['X-User: root', 'X-Group: a', 'X-Gone: 1'], body: 'hello' })
    expect(answer.status).toBe(200)
    const values = (field: string) => web.request.headers(field)
    expect([values('x-user'), values('x-group'), values('x-gone'), values('host'), values('connection')]).toEqual([
      ['anna'],
      ['a', 'b'],
      [],
      ['a.example'],
      [],
    ])
    expect(web.request.body).toBe('hello')
  })

  it('[wire:auth-grpc] anything else denies: 403, or the status, fields and body that the server gives', async () => {
    let decision: CheckResponse = { status: { code: 7 } }
    const { web, gate } = await scene(() => decision)
    const client = await connect(gate)
    expect((await client.request()).status).toBe(403)
    const headers = [header('Content-Type', 'application/json'), header('Set-Cookie', 'a=1'), header('Set-Cookie', 'b=2', true)]
    decision = {
      status: { code: 16 },
      denied_response: { status: { code: 401 }, headers: [...headers, header('Content-Length', '1')], body: '{"no":1}' },
    }
    const answer = await client.request()
    expect([answer.status, answer.body]).toEqual([401, '{"no":1}'])
    expect(answer.headers('content-type')).toEqual(['application/json'])
    expect(answer.headers('content-length')).toEqual(['8'])
    expect(answer.headers('set-cookie')).toEqual(['a=1', 'b=2'])
    expect((await gate.record(1)).flag).toBe('auth-denied')
    expect(web.connections).toHaveLength(0)
  })

  it.each([
    ['an error of gRPC', () => ({ error: 13 }), 503],
    ['no status in its message', () => ({}), 503],
    ['a name that is none', () => ({ ...ok, ok_response: { headers: [header('x y', '1')] } }), 503],
    ['a value that would end its line', () => ({ ...ok, ok_response: { headers: [header('x', '1\r\nHost: evil')] } }), 503],
    ['the same when it denies', () => ({ status: { code: 7 }, denied_response: { headers: [header('x', '1\r\n\r\n')] } }), 503],
    ['silence', () => 'silence', 504],
  ] as [string, Decide, number][])('[wire:auth-grpc] nothing passes when the server answers %s', async (_what, decide, status) => {
    const { web, gate } = await scene(decide, {}, { bounds: { authTime: 400 } })
    expect((await (await connect(gate)).request()).status).toBe(status)
    expect(web.connections).toHaveLength(0)
    expect((await gate.record()).flag).toBe('auth-failed')
  })
})

describe('external authorisation by gRPC', () => {
  it('[wire:auth-grpc] lets nothing pass when the server speaks HTTP/1.1, or is not there', async () => {
    const web = await h.backend()
    const guard = await h.backend(always(response('', '200 OK')))
    const filter: ExternalAuthConfig = {
      kind: 'externalAuth',
      protocol: 'grpc',
      target: { kind: 'pool', pool: 'guard' },
      pathPrefix: '',
      requestHeaders: [],
      responseHeaders: [],
      maxBody: 0,
    }
    for (const [port, h2c] of [
      [guard.port, ['guard']],
      [guard.port, []],
      [1, ['guard']],
    ] as [number, string[]][]) {
      const gate = await h.gateway({ pools: { web: [web.port], guard: [port] }, h2c, rules: [{ backends: ['web'], filters: [filter] }] })
      expect((await (await h.client(gate)).request()).status).toBe(503)
    }
    expect(web.connections).toHaveLength(0)
  })
})
