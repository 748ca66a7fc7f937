import { describe, expect, it, onTestFinished } from 'vitest'
import type { CorsConfig, ExternalAuthConfig } from '../../../src/config/filter.ts'
import type { ClientAnswer } from '../../harness/client.ts'
import type { Gateway, GatewayOptions } from '../../harness/gateway.ts'
import type { RuleSketch } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'
import type { Http2Client } from '../../harness/http2-client.ts'
import { always, type Respond, response } from '../../harness/scripted-backend.ts'
import { closedPort } from '../upstream/endpoints.ts'
import { AuthorizationServer } from './authorization-server.ts'
import { versions } from './versions.ts'

const h = harness()

const asking = { fields: ['Gatewright-Debug: 1'] }
const on: GatewayOptions = { debugHeader: true }
const auth: ExternalAuthConfig = {
  kind: 'externalAuth',
  protocol: 'http',
  target: { kind: 'pool', pool: 'guard' },
  pathPrefix: '',
  requestHeaders: [],
  responseHeaders: [],
  maxBody: 0,
}

/** The members of the one field, without the request's id. */
function told(answer: ClientAnswer): Record<string, string> {
  const fields = answer.headers('gatewright-debug')
  expect(fields).toHaveLength(1)
  const members = (fields[0] ?? '').split(', ').map((member) => member.split('=') as [string, string])
  const { request, ...others } = Object.fromEntries(members.map(([name, value]) => [name, value.replaceAll('"', '')]))
  expect(request).toMatch(/^[0-9a-f]+$/)
  return others
}

const place = { route: 'HTTPRoute/test/r0', rule: 'HTTPRoute/test/r0/0' }

interface Scene {
  readonly rule?: RuleSketch
  readonly respond?: Respond
  readonly guard?: Respond
  readonly options?: GatewayOptions
}

async function scene({ rule, respond = always(response('web')), guard, options = on }: Scene = {}) {
  const web = await h.backend(respond)
  const server = await h.backend(guard)
  const pools = { web: [web.port], guard: [server.port], empty: [] }
  return { web, guard: server, gate: await h.gateway({ pools, rules: [{ backends: ['web'], ...rule }] }, options) }
}

describe.each(versions(h))('the debug header over $name', ({ name, connect }) => {
  it('[wire:debug-asked] says where a request went, with its id in the access log', async () => {
    const { web, gate } = await scene()
    const answer = await (await connect(gate)).request(asking)
    expect([answer.status, answer.body]).toEqual([200, 'web'])
    expect(told(answer)).toEqual({ ...place, backend: 'web', endpoint: `127.0.0.1:${web.port}`, attempts: '1' })
    expect(answer.header('gatewright-debug')).toContain(`request="${(await gate.record()).requestId}"`)
  })

  it('[wire:debug-asked] takes the place of what a backend says under that name', async () => {
    const { gate } = await scene({ respond: always('HTTP/1.1 200 OK\r\nGatewright-Debug: lies\r\nContent-Length: 0\r\n\r\n') })
    expect(told(await (await connect(gate)).request(asking))).toMatchObject({ backend: 'web' })
  })

  it('[wire:debug-asked] counts attempts and names the endpoint that answered', async () => {
    const gone = await closedPort()
    const { web, gate } = await scene()
    gate.update({ pools: { web: [gone, web.port] }, rules: [{ backends: ['web'] }] })
    const client = await connect(gate)
    const all = []
    for (let asked = 0; asked < 12; asked += 1) all.push(told(await client.request(asking)))
    expect(all).toContainEqual({ ...place, backend: 'web', endpoint: `127.0.0.1:${web.port}`, attempts: '2' })
    expect(all.every(({ endpoint }) => endpoint === `127.0.0.1:${web.port}`)).toBe(true)
  })

  const none = { attempts: '0' }
  it.each<[string, RuleSketch, number, Record<string, string>]>([
    ['no rule', { path: '/other' }, 404, { reason: 'no-route', ...none }],
    ['no endpoint', { backends: ['empty'] }, 503, { ...place, backend: 'empty', reason: 'no-endpoint', ...none }],
    ['no backend', { backends: [] }, 500, { ...place, reason: 'no-backend', ...none }],
    [
      'a redirect',
      { filters: [{ kind: 'redirect', status: 302, hostname: 'b' }] },
      302,
      { ...place, filter: 'RequestRedirect', reason: 'redirect', ...none },
    ],
    [
      'a filter that cannot be served',
      { filters: [{ kind: 'fail', filter: 'ExtensionRef', reason: 'x', message: 'secret' }] },
      500,
      { ...place, filter: 'ExtensionRef', reason: 'bad-filter', ...none },
    ],
    [
      'one of a backend',
      { backendFilters: [{ kind: 'fail', filter: 'RequestRedirect', reason: 'x', message: 'secret' }] },
      500,
      { ...place, filter: 'RequestRedirect', reason: 'bad-filter', ...none },
    ],
    [
      'an authorisation server that is not there',
      { filters: [{ ...auth, target: { kind: 'pool', pool: 'empty' } }] },
      503,
      { ...place, filter: 'ExternalAuth', reason: 'auth-failed', ...none },
    ],
  ])('[wire:debug-asked] gives the reason of an answer of our own: %s', async (_name, rule, status, expected) => {
    const { gate } = await scene({ rule })
    const answer = await (await connect(gate)).request(asking)
    expect(answer.status).toBe(status)
    expect(told(answer)).toEqual(expected)
    expect(await gate.record()).toMatchObject({ filter: expected['filter'] ?? '', flag: expected['reason'] })
  })

  it('[wire:debug-asked] names the endpoint that failed, and why', async () => {
    const gone = await closedPort()
    const { gate } = await scene()
    gate.update({ pools: { web: [gone] }, rules: [{ backends: ['web'] }] })
    const answer = await (await connect(gate)).request(asking)
    expect(told(answer)).toEqual({ ...place, backend: 'web', endpoint: `127.0.0.1:${gone}`, reason: 'connect-failed', attempts: '1' })
  })

  it('[wire:debug-asked] names a CORS filter that answers a preflight', async () => {
    const cors: CorsConfig = {
      kind: 'cors',
      origins: ['*'],
      credentials: false,
      methods: ['*'],
      headers: ['*'],
      exposeHeaders: [],
      maxAge: 5,
    }
    const { gate } = await scene({ rule: { filters: [cors] } })
    const fields = [...asking.fields, 'Origin: https://a.example', 'Access-Control-Request-Method: PUT']
    const client = await connect(gate)
    const answer = await client.request({ method: 'OPTIONS', fields })
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([204, '*'])
    expect(told(answer)).toEqual({ ...place, filter: 'CORS', reason: 'preflight', ...none })
    expect(told(await client.request({ fields }))).toMatchObject({ backend: 'web', attempts: '1' })
  })

  it('[wire:debug-asked] names the authorisation server that denies a request', async () => {
    const { guard, gate } = await scene({ rule: { filters: [auth] }, guard: always(response('no', '403 Forbidden')) })
    const answer = await (await connect(gate)).request(asking)
    expect([answer.status, answer.body]).toEqual([403, 'no'])
    const denied = { filter: 'ExternalAuth', reason: 'auth-denied', backend: 'guard', endpoint: `127.0.0.1:${guard.port}` }
    expect(told(answer)).toEqual({ ...place, ...denied, ...none })
    expect(await gate.record()).toMatchObject({ filter: 'ExternalAuth', flag: 'auth-denied', backend: 'guard' })
  })

  it('[wire:debug-asked] names one that denies it by gRPC', async () => {
    const guard = await AuthorizationServer.listen(() => ({ status: { code: 7 } }))
    onTestFinished(() => guard.close())
    const filters = [{ ...auth, protocol: 'grpc' } as const]
    const gate = await h.gateway({ pools: { web: [], guard: [guard.port] }, h2c: ['guard'], rules: [{ backends: ['web'], filters }] }, on)
    const answer = await (await connect(gate)).request(asking)
    expect(answer.status).toBe(403)
    expect(told(answer)).toEqual({ ...place, filter: 'ExternalAuth', reason: 'auth-denied', ...none })
  })

  it('[wire:debug-not-forwarded] is not seen by routes, authorisation servers, mirrors and backends', async () => {
    const copy = await h.backend()
    const web = await h.backend(always(response('web')))
    const guard = await h.backend(always(response('')))
    const mirror = { kind: 'mirror', target: { kind: 'pool', pool: 'copy' }, numerator: 1, denominator: 1 } as const
    const filters = [{ ...auth, requestHeaders: ['gatewright-debug'] }, mirror]
    const header = { kind: 'exact', name: 'gatewright-debug', value: '1' } as const
    const gate = await h.gateway(
      {
        pools: { web: [web.port], guard: [guard.port], copy: [copy.port] },
        rules: [
          { backends: [], match: { headers: [header] } },
          { backends: ['web'], filters },
        ],
      },
      on,
    )
    const client = await connect(gate)
    for (const value of ['1', '0', 'true']) {
      const answer = await client.request({ fields: [`gatewright-DEBUG: ${value}`] })
      expect([answer.status, answer.headers('gatewright-debug').length]).toEqual([200, value === '1' ? 1 : 0])
    }
    await expect.poll(() => copy.requests.length).toBe(3)
    for (const { head } of [...web.requests, ...guard.requests, ...copy.requests]) expect(head.toLowerCase()).not.toContain('debug')
  })

  it('[wire:debug-off] is nothing to a gateway where it is off, nor to one that was not asked', async () => {
    const says = 'HTTP/1.1 200 OK\r\nGatewright-Debug: mine\r\nContent-Length: 0\r\n\r\n'
    const off = await scene({ options: {}, respond: always(says) })
    const answer = await (await connect(off.gate)).request(asking)
    expect(answer.headers('gatewright-debug')).toEqual(['mine'])
    expect(off.web.request.header('gatewright-debug')).toBe('1')
    const unasked = await scene({ respond: always(says) })
    expect((await (await connect(unasked.gate)).request()).headers('gatewright-debug')).toEqual(['mine'])
  })

  it.each<[string, GatewayOptions]>([
    ['elsewhere', { ...on, clientAddress: '192.0.2.7' }],
    ['whom a trusted peer speaks for', { ...on, trusted: true }],
  ])('[wire:debug-safe] tells no address of an endpoint to a client %s, but which one it was', async (_name, options) => {
    const { web, gate } = await scene({ options })
    const other = await h.backend(always(response('other')))
    const addresses = [other.port, web.port].map((port) => `127.0.0.1:${port}`)
    gate.update({ pools: { web: [web.port, other.port] }, rules: [{ backends: ['web'] }] })
    const client = await connect(gate)
    const names = new Map<string, Set<string>>()
    for (let asked = 0; asked < 24; asked += 1) {
      const answer = await client.request(asking)
      for (const address of addresses) expect(answer.head).not.toContain(address)
      const { endpoint = '' } = told(answer)
      names.set(answer.body, (names.get(answer.body) ?? new Set()).add(endpoint))
    }
    expect([...names.values()].map((set) => set.size)).toEqual([1, 1])
    expect(new Set([...names.values()].flatMap((set) => [...set])).size).toBe(2)
  })

  it('[wire:debug-asked] goes with an upgrade', async () => {
    const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n'
    const { web, gate } = await scene({ respond: always(upgraded) })
    const expected = { ...place, backend: 'web', endpoint: `127.0.0.1:${web.port}`, attempts: '1' }
    if (name === 'HTTP/1.1') {
      const fields = [...asking.fields, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x']
      const answer = await (await connect(gate)).request({ fields })
      expect(answer.status).toBe(101)
      return expect(told(answer)).toEqual(expected)
    }
    const client = (await connect(gate)) as Http2Client
    await expect.poll(() => client.session.remoteSettings.enableConnectProtocol).toBe(true)
    const stream = client.open({ method: 'CONNECT', pseudo: { ':protocol': 'websocket' }, ...asking }, false)
    let head = ''
    stream.on('response', (headers) => {
      head = String(headers['gatewright-debug'])
    })
    await expect.poll(() => head).toContain(`endpoint="${expected.endpoint}"`)
    stream.close()
  })
})

describe('the debug header of a gRPC call', () => {
  const call = { method: 'POST', target: '/test.Echo/Unary', fields: ['content-type: application/grpc', 'te: trailers', ...asking.fields] }

  async function grpc(rule: RuleSketch = {}, bounds: GatewayOptions['bounds'] = {}): Promise<Gateway> {
    const web = await h.http2Backend((received) => {
      const { stream } = received
      const path = received.header(':path')
      if (path === '/test.Echo/Silent') return
      if (path === '/test.Echo/Fail') return stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true })
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end('\0\0\0\0\0')
    })
    return h.gateway(
      { pools: { web: [web.port], empty: [] }, h2c: ['web'], rules: [{ grpc: true, backends: ['web'], ...rule }] },
      { ...on, bounds },
    )
  }

  it.each(['Unary', 'Fail'])('[wire:debug-asked] is in the head of the backend’s answer, trailers-only too: %s', async (method) => {
    const client = await h.http2(await grpc())
    const answer = await client.request({ ...call, target: `/test.Echo/${method}`, body: '' })
    expect(answer.header('grpc-status') ?? answer.trailers).toBe(method === 'Fail' ? '5' : 'grpc-status: 0\r\n')
    expect(told(answer)).toMatchObject({ ...place, backend: 'web', attempts: '1' })
  })

  it('[wire:debug-asked] is in a trailers-only answer of our own', async () => {
    const client = await h.http2(await grpc({ backends: ['empty'] }))
    const answer = await client.request({ ...call, body: '' })
    expect([answer.status, answer.header('grpc-status'), answer.body]).toEqual([200, '14', ''])
    expect(told(answer)).toEqual({ ...place, backend: 'empty', reason: 'no-endpoint', attempts: '0' })
  })

  it('[wire:debug-asked] leaves the status of a deadline what it is', async () => {
    const client = await h.http2(await grpc())
    const answer = await client.request({
      ...call,
      target: '/test.Echo/Silent',
      fields: [...call.fields, 'grpc-timeout: 100m'],
      body: '',
    })
    expect(answer.header('grpc-status')).toBe('4')
    expect(told(answer)).toMatchObject({ ...place, backend: 'web', reason: 'upstream-timeout', attempts: '1' })
  })
})
