import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from '../../../src/routing/compile.ts'
import { explain } from '../../../src/routing/explain.ts'
import { parseScenario } from '../../golden/routing/scenario.ts'
import { allRequests, decide, gatewayConfig, request, someRequests } from './small-world.ts'

const { config } = parseScenario(`
listeners: [any http, shop http *.shop.example, tls https]
routes:
  older:
    hosts: [www.shop.example]
    rules:
      - GET /cart -> cart 90, canary 10, !gone 0
      - =/cart [env=test] -> test
      - POST /cart -> post
      - /cart [env=test] [user~a.*] -> ada
      - /c -> c
      - /cart ?x=1 -> x
      - =/../up -> up
      - GET /cart -> repeated
  younger:
    hosts: [www.shop.example]
    rules:
      - GET /cart -> cart
  wild:
    hosts: ["*.shop.example"]
    rules:
      - =/cart -> wild
  any:
    on: [any]
    rules:
      - / -> any
`)
const router = compile(config)

function losses(...[method, url, headers]: Parameters<typeof request>): Readonly<Record<string, string>> {
  const { losers } = explain(router, 80, request(method, url, headers))
  return Object.fromEntries(losers.map(({ rule, text }) => [rule.replace('HTTPRoute/default/', ''), text]))
}

describe('explain', () => {
  it('finds the winner that the router finds', () => {
    fc.assert(
      fc.property(gatewayConfig, someRequests, (each, views) => {
        const compiled = compile(each)
        const wrong = views.filter((view) => explain(compiled, 80, view).winner?.match !== decide(compiled, view)?.config)
        expect(wrong).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  it('lists no match of the winning rule among the losers, and precedence only where there is a winner', () => {
    fc.assert(
      fc.property(gatewayConfig, fc.constantFrom(...allRequests), (each, view) => {
        const { winner, losers } = explain(compile(each), 80, view)
        expect(losers.map(({ rule }) => rule)).not.toContain(winner?.rule)
        if (winner === undefined) expect(losers.map(({ reason }) => reason.kind)).not.toContain('precedence')
      }),
    )
  })

  it('names listener, hostname, route, rule, match and the shares of the backends', () => {
    const { listener, winner } = explain(router, 80, request('GET', 'http://www.shop.example/cart/7'))
    expect(listener).toEqual({ listener: 'Gateway/default/gateway/shop', hostname: '*.shop.example' })
    expect(winner).toEqual({
      listener: 'Gateway/default/gateway/shop',
      hostname: 'www.shop.example',
      route: 'HTTPRoute/default/older',
      rule: 'HTTPRoute/default/older/0',
      match: { path: { kind: 'prefix', value: '/cart' }, method: 'GET', headers: [], query: [] },
      filters: [],
      backends: [
        { kind: 'pool', name: 'cart', weight: 90, share: 0.9 },
        { kind: 'pool', name: 'canary', weight: 10, share: 0.1 },
        { kind: 'fail', name: 'gone', weight: 0, share: 0 },
      ],
      timeouts: {},
    })
  })

  it('says of every other candidate what it wants and the request has not', () => {
    expect(losses('GET', 'http://www.shop.example/cart?x=2', [['user', 'ada']])).toEqual({
      'older/1': 'wants header env = test, the request has none',
      'older/2': 'wants method POST, the request has GET',
      'older/3': 'wants header env = test, the request has none',
      'older/4': 'wants path prefix /c, the request has /cart',
      'older/5': 'wants query parameter x = 1, the request has "2"',
      'older/6': 'never matches: a path must begin with "/" and stay below the root, got "/../up"',
      'older/7': 'matches too, but HTTPRoute/default/older/0 is listed first in the route',
      'younger/0': 'matches too, but HTTPRoute/default/older/0 is of the older route, or of the one first by namespace/name',
      'wild/0': 'matches too, but HTTPRoute/default/older/0 is for www.shop.example, which is more specific than *.shop.example',
      'any/0':
        'is out of reach: listener Gateway/default/gateway/any serves any host, and Gateway/default/gateway/shop for *.shop.example is more specific',
    })
  })

  it('names the step of precedence that decided', () => {
    const both = losses('GET', 'http://www.shop.example/cart?x=1', [
      ['env', 'test'],
      ['user', 'ada'],
    ])
    expect(both['older/0']).toBe('matches too, but HTTPRoute/default/older/1 has an exact path')
    const deeper = losses('PUT', 'http://www.shop.example/cart/1?x=1', [
      ['env', 'test'],
      ['user', 'ada'],
    ])
    expect(deeper['older/5']).toBe('matches too, but HTTPRoute/default/older/3 asks for more headers (2 to 0)')
  })

  it('says why a match of a GRPCRoute was not chosen', () => {
    const { config: mixed } = parseScenario(`
routes:
  web: { rules: [/ -> web] }
  rpc:
    rules:
      - "@ -> any"
      - "@~/A.* -> expression"
      - "@/Add -> add"
      - "@shop.Cart -> cart"
      - "@shop.Cart/Add -> cart-add"
      - "@shop.Cart/Add [env=test] -> test"
`)
    const compiled = compile(mixed)
    const texts = (type: string, path: string) =>
      explain(compiled, 80, request('POST', `http://shop.example${path}`, [['content-type', type]])).losers.map(
        ({ rule, text }) => `${rule.replace(/.*default\//, '')} ${text.replace(/\S+default\//, '')}`,
      )
    expect(texts('application/grpc', '/shop.Cart/Add')).toEqual([
      'rpc/5 wants header env = test, the request has none',
      'rpc/3 matches too, but rpc/4 names the method of the service',
      'rpc/2 matches too, but rpc/4 names the service',
      'rpc/1 matches too, but rpc/4 names the service',
      'rpc/0 matches too, but rpc/4 names the service',
      'web/0 matches too, but rpc/4 is of a GRPCRoute, which gRPC requests are for first',
    ])
    expect(texts('application/json', '/')).toContain(
      'rpc/0 wants a gRPC request (content-type application/grpc), the request has "application/json"',
    )
    const bare = explain(compiled, 80, request('GET', 'http://shop.example/'))
    expect(bare.losers.at(0)?.text).toBe('wants a gRPC request (content-type application/grpc), the request has no content type')
  })

  it('shows filters, retries and sessions of the winner', () => {
    const retry = { codes: [503], attempts: 2 }
    const session = { kind: 'header', name: 'X-Session', keepsBackend: false } as const
    const { config: plain } = parseScenario('routes: {a: {rules: [/ -> v1]}}')
    const routes = plain.routes.map((route) => ({ ...route, rules: route.rules.map((rule) => ({ ...rule, retry, session })) }))
    expect(explain(compile({ ...plain, routes }), 80, request('GET', 'http://shop.example/')).winner).toMatchObject({ retry, session })
  })

  it('names the filter that answers the request in place of a backend', () => {
    const { config: filtered } = parseScenario(`
routes:
  a:
    rules:
      - { when: /cors, to: v1, filters: [cors: { origins: ["*"] }, redirect: {}] }
      - { when: /fail, to: v1, filters: [cors: { origins: ["*"] }, fail: { filter: x, reason: y, message: z }] }
      - / -> v1
`)
    const compiled = compile(filtered)
    const asks = [
      ['origin', 'https://shop.example'],
      ['access-control-request-method', 'PUT'],
    ] as const
    const answeredBy = (method: string, path: string) =>
      explain(compiled, 80, request(method, `http://shop.example${path}`, asks)).winner?.answeredBy
    expect(answeredBy('OPTIONS', '/cors')).toBe('preflight')
    expect(answeredBy('GET', '/cors')).toBe('redirect')
    expect(answeredBy('OPTIONS', '/fail')).toBe('fail')
    expect(answeredBy('OPTIONS', '/')).toBeUndefined()
  })

  it('says why the other listeners of the port were not asked', () => {
    const { misses } = explain(router, 80, request('GET', 'http://elsewhere.example/'))
    expect(misses.map(({ text }) => text)).toEqual(['listener Gateway/default/gateway/shop serves *.shop.example, not elsewhere.example'])
  })

  it('explains a host that no listener serves, and a port that nobody has', () => {
    const { config: narrow } = parseScenario('{listeners: ["http *.example"], routes: {a: {rules: [/ -> v1]}}}')
    const nowhere = explain(compile(narrow), 80, request('GET', 'http://example.org/'))
    expect(nowhere).toMatchObject({ listener: undefined, winner: undefined })
    expect(nowhere.losers.map(({ reason }) => reason.kind)).toEqual(['listener-host'])
    expect(explain(router, 81, request('GET', 'http://a.example/'))).toEqual({
      port: 81,
      grpc: false,
      listener: undefined,
      misses: [],
      winner: undefined,
      losers: [],
    })
  })

  it('is plain data', () => {
    const explanation = explain(router, 80, request('GET', 'http://www.shop.example/cart'))
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation)
  })
})
