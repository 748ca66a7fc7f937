import { describe, expect, it } from 'vitest'
import type { ExternalAuthConfig, MirrorConfig } from '../../../src/config/filter.ts'
import { policyMetrics } from '../../../src/proxy/http/policy-metrics.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { eventually } from '../../harness/eventually.ts'
import type { Gateway } from '../../harness/gateway.ts'
import { harness } from '../../harness/harness.ts'
import { always, type Respond, response } from '../../harness/scripted-backend.ts'
import { closedPort } from '../upstream/endpoints.ts'

const h = harness()

const mirrorTo = (pool: string): MirrorConfig => ({ kind: 'mirror', target: { kind: 'pool', pool }, numerator: 1, denominator: 1 })

const auth: ExternalAuthConfig = {
  kind: 'externalAuth',
  protocol: 'http',
  target: { kind: 'pool', pool: 'guard' },
  pathPrefix: '',
  requestHeaders: [],
  responseHeaders: [],
  maxBody: 0,
}

function inTurn(...answers: readonly string[]): Respond {
  let turn = 0
  return (_request, connection) => connection.write(answers[Math.min(turn++, answers.length - 1)] ?? '')
}

function metricsOf(gate: Gateway): Promise<string> {
  return createMetrics(policyMetrics(() => new Map([['test/gate', gate.router]]), gate.runtime.counters)).text()
}

describe('the access log and the metrics', () => {
  it('say of each failed attempt where it was and why, the last one apart', async () => {
    const web = await h.backend(inTurn(response('', '503 Sorry'), response('', '500 Sorry'), response('ok')))
    const retry = { codes: [500, 503], attempts: 4, backoff: 1 }
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], retry }] })
    expect((await (await h.client(gate)).request()).status).toBe(200)
    const at = `127.0.0.1:${web.port}`
    expect(await gate.record()).toMatchObject({ attempts: 3, failed: [`${at} 503`, `${at} 500`], upstream: at })
  })

  it('say so of attempts without a connection, and of those that were too slow', async () => {
    const gone = await closedPort()
    const silent = await h.backend(() => {})
    const gate = await h.gateway({
      pools: { gone: [gone], slow: [silent.port] },
      rules: [
        { path: '/gone', backends: ['gone'], retry: { codes: [], attempts: 10, backoff: 1 } },
        { backends: ['slow'], backendRequest: 50, retry: { codes: [], attempts: 1, backoff: 1 } },
      ],
    })
    const client = await h.client(gate)
    expect((await client.request({ target: '/gone' })).status).toBe(502)
    // Only the first eight are told.
    const refused = Array.from({ length: 8 }, () => `127.0.0.1:${gone} connect-refused`)
    expect(await gate.record()).toMatchObject({ attempts: 11, failed: refused, flag: 'connect-failed' })
    expect((await client.request()).status).toBe(504)
    expect(await gate.record(1)).toMatchObject({ attempts: 2, failed: [`127.0.0.1:${silent.port} timeout`], flag: 'upstream-timeout' })
  })

  it('say so of an endpoint that was passed over without a retry', async () => {
    const gone = await closedPort()
    const web = await h.backend()
    const gate = await h.gateway({ pools: { web: [gone, web.port] }, rules: [{ backends: ['web'] }] })
    const client = await h.client(gate)
    for (let asked = 0; asked < 12; asked += 1) await client.request()
    await gate.record(11)
    const over = gate.records.filter(({ attempts }) => attempts === 2)
    expect(over.map(({ failed }) => failed)).toEqual([[`127.0.0.1:${gone} connect-refused`]])
    expect(gate.records.filter(({ attempts }) => attempts === 1).every(({ failed }) => failed.length === 0)).toBe(true)
  })

  it('say what became of a session: new, kept, moved', async () => {
    const all = [await h.backend(always(response('a'))), await h.backend(always(response('b')))]
    const ports = all.map(({ port }) => port)
    const rules = [{ backends: ['web'], session: { kind: 'header', name: 'X-Session', keepsBackend: false } }] as const
    const gate = await h.gateway({ pools: { web: ports, none: [] }, rules: [...rules, { path: '/free', backends: ['web'] }] })
    const client = await h.client(gate)
    const first = await client.request()
    const fields = [`X-Session: ${first.header('x-session')}`]
    await client.request({ fields })
    await client.request({ target: '/free', fields })
    const other = ports[first.body === 'a' ? 1 : 0] ?? 0
    gate.update({ pools: { web: [other] }, rules })
    await client.request({ fields })
    gate.update({ pools: { web: [] }, rules })
    await client.request({ fields })
    await gate.record(4)
    expect(gate.records.map(({ session }) => session)).toEqual(['new', 'kept', '', 'moved', ''])
    const text = await metricsOf(gate)
    for (const result of ['new', 'kept', 'moved']) expect(text).toContain(`gatewright_session_requests_total{result="${result}"} 1\n`)
  })

  it('say how many copies went to mirrors', async () => {
    const web = await h.backend()
    const copy = await h.backend()
    const filters = [mirrorTo('copy'), mirrorTo('copy')]
    const gate = await h.gateway(
      { pools: { web: [web.port], copy: [copy.port] }, rules: [{ backends: ['web'], filters }] },
      { bounds: { mirrorBody: 4 } },
    )
    const client = await h.client(gate)
    await client.request({ method: 'POST', body: 'tiny' })
    await client.request({ method: 'POST', body: 'large' })
    await gate.record(1)
    expect(gate.records.map(({ mirrors }) => mirrors)).toEqual([2, 0])
    await eventually(() => copy.requests.length === 2, 'both copies')
  })

  it('say what authorisation servers answered', async () => {
    const web = await h.backend()
    const guard = await h.backend(inTurn(response(''), response('', '401 No'), 'nonsense\r\n\r\n'))
    const gate = await h.gateway({ pools: { web: [web.port], guard: [guard.port] }, rules: [{ backends: ['web'], filters: [auth] }] })
    const client = await h.client(gate)
    const statuses = []
    for (let asked = 0; asked < 3; asked += 1) statuses.push((await client.request()).status)
    expect(statuses).toEqual([200, 401, 503])
    await gate.record(2)
    const outcome = { filter: 'ExternalAuth', upstream: `127.0.0.1:${guard.port}`, backend: 'guard' }
    expect(gate.records).toMatchObject([
      { flag: '', filter: '', backend: 'web' },
      { flag: 'auth-denied', ...outcome },
      { flag: 'auth-failed', filter: 'ExternalAuth' },
    ])
    const text = await metricsOf(gate)
    for (const result of ['allowed', 'denied', 'failed']) expect(text).toContain(`gatewright_external_auth_total{result="${result}"} 1\n`)
  })

  it('say what status a gRPC client was told, whoever told it', async () => {
    const web = await h.http2Backend((received) => {
      const path = received.header(':path') ?? ''
      const { stream } = received
      if (path === '/a/Only') return stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true })
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: path !== '/a/Cut' })
      if (path === '/a/Cut') return void stream.write('\0\0\0\0\0', () => stream.close(2))
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': path === '/a/Odd' ? '99' : '0' }))
      stream.end('\0\0\0\0\0')
    })
    const rules = [{ grpc: true, path: '/a', backends: ['web'] }]
    const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules })
    const client = await h.http2(gate)
    const fields = ['content-type: application/grpc', 'te: trailers']
    for (const target of ['/a/Fine', '/a/Only', '/a/Odd', '/a/Cut', '/b/None'])
      await client.request({ method: 'POST', target, fields, body: '' })
    await client.request({ target: '/b' })
    await gate.record(5)
    expect(gate.records.map(({ grpcStatus }) => grpcStatus)).toEqual([0, 5, 2, 13, 12, undefined])
    const text = await metricsOf(gate)
    for (const status of [0, 5, 2, 13]) {
      expect(text).toContain(`gatewright_grpc_calls_total{gateway="test/gate",route="HTTPRoute/test/r0",status="${status}"} 1\n`)
    }
    expect(text).toContain('gatewright_grpc_calls_total{gateway="",route="",status="12"} 1\n')
    expect(text).toContain('gatewright_http2_connections_total 1\n')
    expect(text).toContain('gatewright_http2_requests_total 6\n')
    expect(text).toContain('gatewright_http2_floods_total 0\n')
  })
})
