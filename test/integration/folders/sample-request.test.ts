/** The request that `run` prints for a person to try. */
import { describe, expect, it } from 'vitest'
import { sampleRequest } from '../../../src/cli/sample-request.ts'
import type { BackendConfig, HttpMatchConfig, HttpRouteConfig } from '../../../src/config/route.ts'

const good: BackendConfig = { kind: 'pool', pool: 'Service/shop/web:80', weight: 1, filters: [] }
const bad: BackendConfig = { kind: 'fail', backend: 'Service/shop/gone:80', reason: 'BackendNotFound', message: '', weight: 1 }

function routeOf(...rules: readonly (readonly [Partial<HttpMatchConfig>, BackendConfig])[]): HttpRouteConfig {
  return {
    kind: 'http',
    key: 'HTTPRoute/shop/web',
    attachments: [],
    rules: rules.map(([match, backend], index) => ({
      key: `HTTPRoute/shop/web#${index}`,
      index,
      matches: [{ path: { kind: 'prefix', value: '/' }, headers: [], query: [], ...match }],
      filters: [],
      backends: [backend],
      timeouts: {},
    })),
  }
}

describe('the request to try', () => {
  it('is one that is answered, where the route has one', () => {
    const route = routeOf([{ path: { kind: 'exact', value: '/broken' } }, bad], [{ path: { kind: 'exact', value: '/fine' } }, good])
    expect(sampleRequest(route)).toMatchObject({ method: 'GET', target: '/fine' })
  })

  it('is a literal one rather than one that was made up', () => {
    const route = routeOf([{ path: { kind: 'regex', value: '/v[0-9]' } }, good], [{ path: { kind: 'exact', value: '/fine' } }, good])
    expect(sampleRequest(route).target).toBe('/fine')
  })

  it('has the method, headers and query of its match', () => {
    const match: Partial<HttpMatchConfig> = {
      method: 'POST',
      headers: [{ kind: 'regex', name: 'x-role', value: 'adm.*' }],
      query: [{ kind: 'exact', name: 'q', value: 'a b' }],
    }
    expect(sampleRequest(routeOf([match, good]))).toMatchObject({ method: 'POST', target: '/?q=a%20b', headers: [['x-role', 'adma']] })
  })

  it.each([
    ['/v[0-9]+/items/[a-z]+', '/v1/items/a'],
    ['/(foo|bar)/.*', '/foo/a'],
    ['^/api/v\\d{2}$', '/api/v11'],
    ['/.*', '/'],
    ['/files/[^/]+\\.png', '/files/a.png'],
  ])('meets the pattern %s', (value, target) => {
    const sample = sampleRequest(routeOf([{ path: { kind: 'regex', value } }, good])).target
    expect(sample).toMatch(new RegExp(`^(?:${value})$`))
    expect(sample).toBe(target)
  })

  it('leaves a pattern that is too hard for one that is not', () => {
    const hard = { path: { kind: 'regex', value: '/(?:a(?:b|c)){2,3}x' } } as const
    expect(sampleRequest(routeOf([hard, good], [{ path: { kind: 'exact', value: '/easy' } }, good])).target).toBe('/easy')
  })
})
