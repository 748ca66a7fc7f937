import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpRouteConfig } from '../../../src/config/route.ts'
import { compareSpecificity } from '../../../src/lib/hostname.ts'
import { compile } from '../../../src/routing/compile.ts'
import { explain } from '../../../src/routing/explain.ts'
import type { Router } from '../../../src/routing/router.ts'
import { parseScenario } from '../../golden/routing/scenario.ts'
import { allRequests, decide, editedConfig, request } from './small-world.ts'

const { config } = parseScenario(`
listeners: [http, https]
routes:
  shop:
    hosts: [shop.example]
    rules:
      - /a -> stable 90, canary 10
      - when: /old
        filters: [redirect: { scheme: https }]
  blog:
    hosts: [blog.example, shop.example]
    rules:
      - / -> blog
  wiki:
    hosts: ["*.example"]
    rules:
      - / -> wiki
`)
const [shop, blog, wiki] = config.routes as [HttpRouteConfig, HttpRouteConfig, HttpRouteConfig]

function tableOf(router: Router, hostname: string) {
  return router.ports.get(80)?.listeners[0]?.tables.find((table) => table.hostname === hostname)
}

/** The configuration with the shop's rule /a changed. */
function withShopRule(change: object) {
  const rules = shop.rules.map((rule, i) => (i === 0 ? { ...rule, ...change } : rule))
  return { ...config, routes: config.routes.map((route) => (route === shop ? { ...route, rules } : route)) }
}

describe('compile', () => {
  it('keeps listeners, tables and rules of an unchanged configuration by identity', () => {
    const before = compile(config)
    const after = compile({ ...config }, before)
    expect(after.ports.get(80)?.listeners[0]).toBe(before.ports.get(80)?.listeners[0])
    for (const [key, rule] of before.rules) expect(after.rules.get(key)).toBe(rule)
  })

  it('compiles only the hosts that a changed route names', () => {
    const before = compile(config)
    const after = compile(withShopRule({ filters: [{ kind: 'rewrite', hostname: 'x.example' }] }), before)
    expect(tableOf(after, 'shop.example')).not.toBe(tableOf(before, 'shop.example'))
    expect(tableOf(after, 'blog.example')).toBe(tableOf(before, 'blog.example'))
    expect(tableOf(after, '*.example')).toBe(tableOf(before, '*.example'))
    expect(after.rules.get('HTTPRoute/default/shop/1')).toBe(before.rules.get('HTTPRoute/default/shop/1'))
  })

  it('compiles a host anew when the order of its routes changes, and keeps their rules', () => {
    const before = compile(config)
    const after = compile({ ...config, routes: [blog, shop, wiki] }, before)
    expect(tableOf(after, 'shop.example')).not.toBe(tableOf(before, 'shop.example'))
    expect(after.rules.get('HTTPRoute/default/blog/0')).toBe(before.rules.get('HTTPRoute/default/blog/0'))
  })

  it('takes the counters of a changed rule over, and the balancer state while the weights are the same', () => {
    const before = compile(config)
    const rule = before.rules.get('HTTPRoute/default/shop/0')
    if (rule === undefined) throw new Error('no rule')
    rule.counters.durationSum = 7
    const first = Array.from({ length: 4 }, () => rule.chooseBackend())
    const after = compile(withShopRule({ timeouts: { request: 100, backendRequest: 50 } }), before).rules.get('HTTPRoute/default/shop/0')
    expect(after).not.toBe(rule)
    expect([after?.requestTimeout, after?.backendRequestTimeout]).toEqual([100, 50])
    expect([rule.requestTimeout, rule.backendRequestTimeout]).toEqual([0, 0])
    expect(after?.counters).toBe(rule.counters)
    const both = [...first, ...Array.from({ length: 6 }, () => after?.chooseBackend())]
    expect(both.filter((backend) => backend?.kind === 'pool' && backend.pool === 'canary')).toHaveLength(1)
  })

  it('begins the choice anew when weights change, keeping the counters', () => {
    const before = compile(config)
    before.rules.get('HTTPRoute/default/shop/0')?.chooseBackend()
    const backends = [{ kind: 'pool' as const, pool: 'only', weight: 1, filters: [] }]
    const after = compile(withShopRule({ backends }), before).rules.get('HTTPRoute/default/shop/0')
    expect(after?.chooseBackend()).toMatchObject({ pool: 'only', requests: 0 })
    expect(after?.counters).toBe(before.rules.get('HTTPRoute/default/shop/0')?.counters)
  })

  it('keeps the requests of a backend that stays where it was, and not those of one that took its place', () => {
    const before = compile(config)
    for (let i = 0; i < 10; i++) {
      const backend = before.rules.get('HTTPRoute/default/shop/0')?.chooseBackend()
      if (backend !== undefined) backend.requests++
    }
    const backends = ['stable', 'other'].map((pool, i) => ({ kind: 'pool' as const, pool, weight: i === 0 ? 90 : 10, filters: [] }))
    const after = compile(withShopRule({ backends }), before).rules.get('HTTPRoute/default/shop/0')
    const seen = Array.from({ length: 10 }, () => after?.chooseBackend())
    expect(new Set(seen.map((backend) => backend?.requests))).toEqual(new Set([9, 0]))
  })

  it('takes retries over as the route has them, with a pause of its own where it gives none, and offers the backends that have a weight', () => {
    const backends = ['a', 'b'].map((pool, weight) => ({ kind: 'pool' as const, pool, weight, filters: [] }))
    const compiled = (retry: object) => compile(withShopRule({ retry, backends })).rules.get('HTTPRoute/default/shop/0')
    expect(compiled({ codes: [502, 503], attempts: 0 })?.retry).toEqual({ codes: new Set([502, 503]), attempts: 0, backoff: 25 })
    expect(compiled({ codes: [], attempts: 2, backoff: 0 })?.retry?.backoff).toBe(0)
    expect(compiled({ codes: [], attempts: 2 })?.backends.map((backend) => backend.kind === 'pool' && backend.pool)).toEqual(['b'])
    expect(compile(config).rules.get('HTTPRoute/default/shop/0')).toMatchObject({ kind: 'http', retry: undefined, session: undefined })
  })

  it('lets a mirror go on where it was when its rule changes otherwise, of the rule and of its backend', () => {
    const mirror = { kind: 'mirror', target: { kind: 'pool', pool: 'shadow' }, numerator: 1, denominator: 2 } as const
    const backends = [{ kind: 'pool' as const, pool: 'only', weight: 1, filters: [mirror] }]
    const before = compile(withShopRule({ filters: [mirror], backends }))
    const after = compile(withShopRule({ filters: [mirror], backends, timeouts: { request: 5 } }), before)
    const mirrorsOf = (router: Router) => {
      const rule = router.rules.get('HTTPRoute/default/shop/0')
      const [backend] = rule?.backends ?? []
      return [rule?.filters?.mirrors?.[0], backend?.kind === 'pool' ? backend.filters?.mirrors?.[0] : undefined]
    }
    expect(mirrorsOf(before).every((each) => each !== undefined)).toBe(true)
    for (const [i, each] of mirrorsOf(after).entries()) expect(each).toBe(mirrorsOf(before)[i])
  })

  it('compiles redirects anew when a port of the Gateway moves', () => {
    const before = compile(config)
    const after = compile(config, before, (_gateway, port) => ({ address: '127.0.0.1', port: port + 8000 }))
    const view = request('GET', 'http://shop.example/old')
    const location = (router: Router) => {
      const answer = decide(router, view)?.rule.filters?.answer
      return answer?.kind === 'redirect' ? answer.redirect.location(view, 'http', 80, 0) : answer
    }
    expect(location(before)).toBe('https://shop.example/old')
    expect(location(after)).toBe('https://shop.example:8443/old')
    expect(after.ports.get(80)?.listeners[0]?.placedPort).toBe(8080)
  })

  it('gives a changed listener its tables of before', () => {
    const before = compile(config)
    const listeners = config.listeners.map((listener) => (listener.port === 443 ? { ...listener, name: 'renamed' } : listener))
    const after = compile({ ...config, listeners }, before)
    expect(after.ports.get(443)?.listeners[0]?.config.name).toBe('renamed')
    expect(after.ports.get(443)?.listeners[0]?.tables[0]).toBe(before.ports.get(443)?.listeners[0]?.tables[0])
    expect(after.ports.get(80)?.listeners[0]).toBe(before.ports.get(80)?.listeners[0])
  })

  it('counts a hostname that a route names twice once', () => {
    const attachments = shop.attachments.map((attachment) => ({ ...attachment, hostnames: ['shop.example', 'shop.example'] }))
    expect(tableOf(compile({ ...config, routes: [{ ...shop, attachments }] }), 'shop.example')?.routes).toHaveLength(1)
  })

  it('lets a rule for every path take the asterisk of OPTIONS, and no other', () => {
    const asterisk = { ...request('OPTIONS', 'http://blog.example/'), path: '*' }
    expect(decide(compile(config), asterisk)?.rule.route).toBe('HTTPRoute/default/blog')
    expect(decide(compile({ ...config, routes: [shop] }), { ...asterisk, host: 'shop.example' })).toBeUndefined()
    expect(explain(compile(config), 80, asterisk).winner?.route).toBe('HTTPRoute/default/blog')
  })

  it('has the ports of TCP apart from those of UDP, and survives a listener without routes', () => {
    const [http] = config.listeners
    if (http === undefined) throw new Error('no listener')
    const tcp = { ...http, key: 'Gateway/default/gateway/tcp', port: 9000, protocol: 'TCP' as const }
    const udp = { ...tcp, key: 'Gateway/default/gateway/udp', protocol: 'UDP' as const }
    const router = compile({ ...config, listeners: [...config.listeners, tcp, udp], routes: [] })
    expect([...router.ports.keys()]).toEqual([80, 443, 9000])
    expect([...router.datagramPorts.keys()]).toEqual([9000])
    expect(router.ports.get(80)?.listenerFor('shop.example')?.decide(request('GET', 'http://shop.example/'))).toBeUndefined()
  })

  it('has the same tables, however many routes came and went since it was first made', () => {
    const hostnames = ['', '*.example', '*.a.example', ...Array.from({ length: 40 }, (_, i) => `h${i}.example`)]
    const routes = Array.from({ length: 120 }, (_, i): HttpRouteConfig => {
      const names = [hostnames[i % hostnames.length] ?? '', hostnames[(i * 7) % hostnames.length] ?? '']
      return { ...shop, key: `HTTPRoute/default/r${i}`, attachments: shop.attachments.map((one) => ({ ...one, hostnames: names })) }
    })
    const tablesOf = (router: Router) =>
      [...router.ports.values()].flatMap(({ listeners }) =>
        listeners.map((listener) => {
          const { tables } = listener
          const names = tables.map(({ hostname }) => hostname)
          expect(names.map((name) => listener.tableOf(name))).toEqual(tables)
          expect(names).toEqual(names.toSorted(compareSpecificity))
          return new Map(tables.map(({ hostname, routes: own, ranked }) => [hostname, [own, ranked.map(({ match }) => match.config)]]))
        }),
      )
    fc.assert(
      fc.property(fc.array(fc.subarray(routes), { minLength: 2, maxLength: 6 }), (rounds) => {
        let router: Router | undefined
        for (const some of rounds) {
          const next = { ...config, routes: some }
          router = compile(next, router)
          expect(tablesOf(router)).toEqual(tablesOf(compile(next)))
        }
      }),
      { numRuns: 25 },
    )
  })

  it('decides the same with and without what it kept from before', () => {
    fc.assert(
      fc.property(editedConfig, ([before, after]) => {
        const fresh = compile(after)
        const reused = compile(after, compile(before))
        expect(allRequests.filter((view) => decide(reused, view)?.config !== decide(fresh, view)?.config)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})
