import { describe, expect, it } from 'vitest'
import { explainReport } from '../../../src/cli/explain-report.ts'
import { configuredPool, poolsOf, type ShownPool } from '../../../src/cli/shown-pool.ts'
import { styleFor } from '../../../src/cli/style.ts'
import type { EndpointConfig } from '../../../src/config/pool.ts'
import type { EndpointState } from '../../../src/proxy/upstream/pool-state.ts'
import { compile } from '../../../src/routing/compile.ts'
import { explain } from '../../../src/routing/explain.ts'
import { gatewayConfig, poolConfig, type RuleSketch } from '../../harness/gateway-config.ts'
import { request } from '../routing/small-world.ts'

const plain = styleFor({}, {})
const grpcCall = [['content-type', 'application/grpc']] as const

/** The lines of the report about one rule, with the pools `web` and `guard`. */
function report(rule: RuleSketch, headers: Parameters<typeof request>[2] = [], pools: readonly ShownPool[] = []): string[] {
  const config = gatewayConfig({ pools: { web: [], guard: [] }, rules: [{ backends: ['web'], ...rule }] })
  const explanation = explain(compile(config), 80, request('POST', 'http://a.example/a', headers))
  const answers = [{ gateway: 'test/gate', explanation }]
  const found = {
    request: { method: 'POST', url: '/a', dropped: [] },
    port: 80,
    answers,
    refused: [],
    notes: [],
    pools,
    gateways: [config],
  }
  return explainReport(found, plain)
    .split('\n')
    .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))
}

function live(...endpoints: readonly Partial<EndpointState>[]): ShownPool {
  return {
    pool: 'web',
    protocol: 'http',
    panic: false,
    endpoints: endpoints.map((one, index) => ({
      endpoint: `10.0.0.${index + 1}:80`,
      state: 'ready',
      takesRequests: true,
      health: 'available',
      activeRequests: 0,
      connections: 0,
      ...one,
    })),
  }
}

const endpointsIn = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith('endpoint | ')).map((line) => line.slice(11))

describe('an explanation', () => {
  it('says of each endpoint of a running gateway whether it gets requests, and why not', () => {
    const until = '2026-01-02T03:04:05.678Z'
    const ejected = { takesRequests: false, health: 'ejected', reason: 'connect-refused', until, left: 1_234 } as const
    const pool = live(
      {},
      ejected,
      { ...ejected, left: 0 },
      { takesRequests: false, health: 'trial', reason: 'timeout' },
      { takesRequests: false, state: 'serving' },
      { takesRequests: false, forZones: ['b'] },
    )
    expect(endpointsIn(report({}, [], [pool]))).toEqual([
      '10.0.0.1:80 | ready',
      `10.0.0.2:80 | ejected: connect-refused, looked at again in 1.2 s (${until})`,
      '10.0.0.3:80 | ejected: connect-refused, looked at again now',
      '10.0.0.4:80 | on trial after timeout: gets a single request',
      '10.0.0.5:80 | terminating: gets no new request',
      '10.0.0.6:80 | ready, for zone b: gets no request here',
    ])
    const panic = { ...live({ ...ejected, takesRequests: true }), panic: true }
    expect(endpointsIn(report({}, [], [panic]))[0]).toContain(', asked all the same: too few are left')
    expect(endpointsIn(report({}, [], [live({ state: 'serving' })]))).toEqual(['10.0.0.1:80 | terminating, and none is ready'])
  })

  it('says of the endpoints of files what files can say', () => {
    const endpoints: EndpointConfig[] = [
      { address: '10.0.0.1', port: 80, state: 'ready', forZones: ['a', 'b'] },
      { address: '127.0.0.1', port: 1, state: 'ready' },
    ]
    const pool = configuredPool(poolConfig('web', endpoints), ({ port }) => port === 1)
    expect(endpointsIn(report({}, [], [pool]))).toEqual([
      '10.0.0.1:80 | ready, for zone a, b',
      'an echo backend that gatewright run starts',
    ])
  })

  it('shows ten endpoints of many, and says what none means', () => {
    const many = live(...Array.from({ length: 13 }, () => ({})))
    const lines = report({}, [], [many])
    expect(endpointsIn(lines)).toHaveLength(10)
    expect(lines).toContain('and 3 more (all with -o json)')
    expect(endpointsIn(report({}, [], [live()]))).toEqual(['none: 503'])
    expect(endpointsIn(report({ grpc: true }, grpcCall, [live()]))).toEqual(['none: UNAVAILABLE'])
  })

  it('says which filter answers in place of a backend', () => {
    const answer = (rule: RuleSketch, headers: Parameters<typeof request>[2] = []) =>
      report(rule, headers).find((line) => line.startsWith('answer'))
    const redirect = { kind: 'redirect', status: 301 } as const
    expect(answer({ filters: [redirect] })).toBe('answer | 301 by the redirect; no backend is asked')
    const auth = {
      kind: 'externalAuth',
      protocol: 'http',
      target: { kind: 'pool', pool: 'guard' },
      pathPrefix: '',
      requestHeaders: [],
      responseHeaders: [],
      maxBody: 0,
    } as const
    expect(answer({ filters: [auth, redirect] })).toBe(
      'answer | 301 by the redirect, if the authorisation server allows it; no backend is asked',
    )
    const broken = { kind: 'fail', filter: 'ExtensionRef', reason: 'x', message: 'gone' } as const
    expect(answer({ filters: [broken] })).toBe('answer | 500, because a filter cannot be served; no backend is asked')
    expect(answer({ grpc: true, filters: [broken] }, grpcCall)).toBe(
      'answer | INTERNAL, because a filter cannot be served; no backend is asked',
    )
    expect(answer({})).toBeUndefined()
    // The endpoints of an authorisation server stand beneath its filter.
    const lines = report({ filters: [auth] }, [], [{ ...live({}), pool: 'guard' }])
    expect(lines.indexOf('endpoint | 10.0.0.1:80 | ready')).toBe(lines.indexOf('filter | external authorisation (HTTP) by guard') + 1)
  })

  it('names the filters of backends, and the pools of all of them', () => {
    const mirror = { kind: 'mirror', target: { kind: 'pool', pool: 'guard' }, numerator: 1, denominator: 1 } as const
    expect(report({ backendFilters: [mirror] })).toContain('filter | mirror to guard')
    const config = gatewayConfig({
      pools: { web: [], guard: [] },
      rules: [{ backends: ['web'], backendFilters: [mirror], filters: [mirror] }],
    })
    const { winner } = explain(compile(config), 80, request('GET', 'http://a.example/'))
    expect(winner && poolsOf(winner)).toEqual(['web', 'guard'])
  })

  it('says what gRPC gets when nothing takes it', () => {
    const other: RuleSketch = { match: { path: { kind: 'exact', value: '/b' } } }
    expect(report(other).join('\n')).toContain('404 | listener')
    expect(report(other, grpcCall).join('\n')).toContain('UNIMPLEMENTED | listener')
  })
})
