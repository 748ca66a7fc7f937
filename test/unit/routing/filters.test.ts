import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FilterConfig, HeaderEdits } from '../../../src/config/filter.ts'
import { normalPath } from '../../../src/lib/path-normal.ts'
import { compile } from '../../../src/routing/compile.ts'
import { compileFilters } from '../../../src/routing/filters.ts'
import { compilePathEdit } from '../../../src/routing/path-edit.ts'
import { parseScenario } from '../../golden/routing/scenario.ts'
import { request } from './small-world.ts'

const context = { moved: [], phase: () => 0 }

function headers(edits: Partial<HeaderEdits>, kind: 'requestHeaders' | 'responseHeaders' = 'requestHeaders'): FilterConfig {
  return { kind, set: [], add: [], remove: [], ...edits }
}

/** The request's edits as readable lines. */
function edits(...filters: FilterConfig[]): readonly string[] {
  const compiled = compileFilters(filters, context)?.requestEdits
  if (compiled === undefined) return []
  return [
    ...compiled.set.map(({ name, value }) => `set ${name}: ${value}`),
    ...compiled.add.map(({ name, value }) => `add ${name}: ${value}`),
    ...[...compiled.remove].map((name) => `remove ${name}`),
  ]
}

function failure(...filters: FilterConfig[]): string | undefined {
  const answer = compileFilters(filters, context)?.answer
  return answer?.kind === 'fail' ? answer.message : undefined
}

function location(config: Partial<Extract<FilterConfig, { kind: 'redirect' }>>, view = request('GET', 'http://shop.example/a?b')): string {
  const answer = compileFilters([{ kind: 'redirect', status: 302, ...config }], context)?.answer
  if (answer?.kind !== 'redirect') throw new Error(answer?.message)
  return answer.redirect.location(view, 'http', 80, 0)
}

describe('header edits', () => {
  it('are undefined without filters, and when a filter changes nothing', () => {
    expect(compileFilters([], context)).toBeUndefined()
    expect(compileFilters([headers({})], context)?.requestEdits).toBeUndefined()
  })

  it('keep names as they are spelled, and compare them without case', () => {
    const compiled = compileFilters([headers({ set: [{ name: 'X-Env', value: 'a' }], remove: ['X-Old'] })], context)
    expect(compiled?.requestEdits).toEqual({ set: [{ name: 'X-Env', lower: 'x-env', value: 'a' }], add: [], remove: new Set(['x-old']) })
    expect(compiled?.responseEdits).toBeUndefined()
  })

  it('count the first of equal names in one list only', () => {
    const twice = [
      { name: 'x', value: '1' },
      { name: 'X', value: '2' },
    ]
    expect(edits(headers({ set: twice }))).toEqual(['set x: 1'])
    expect(edits(headers({ add: twice }))).toEqual(['add x: 1'])
  })

  it('compose several filters into what they do one after the other', () => {
    const set = headers({ set: [{ name: 'x', value: 'set' }] })
    const add = headers({ add: [{ name: 'X', value: 'add' }] })
    const remove = headers({ remove: ['x'] })
    expect(edits(set, add)).toEqual(['set x: set', 'add X: add'])
    expect(edits(add, set)).toEqual(['set x: set'])
    expect(edits(add, add)).toEqual(['add X: add', 'add X: add'])
    expect(edits(set, remove)).toEqual(['remove x'])
    expect(edits(remove, add)).toEqual(['set X: add'])
    expect(edits(add, remove, add, add)).toEqual(['set X: add', 'add X: add'])
  })

  it('[feature:HTTPRouteResponseHeaderModification] keep requests and responses apart', () => {
    const compiled = compileFilters([headers({ remove: ['a'] }), headers({ remove: ['b'] }, 'responseHeaders')], context)
    expect(compiled?.requestEdits?.remove).toEqual(new Set(['a']))
    expect(compiled?.responseEdits?.remove).toEqual(new Set(['b']))
  })

  it('turn text into UTF-8 bytes, so that U+010D and U+010A cannot become CR and LF', () => {
    expect(edits(headers({ set: [{ name: 'x', value: ' č\u010a\t' }] }))).toEqual(['set x: \u00c4\u008d\u00c4\u008a'])
  })

  it.each(['a\rb', 'a\nb', 'a\0b', 'a\x7fb', '\x1b'])('refuse the value %j', (value) => {
    expect(failure(headers({ set: [{ name: 'x', value }] }))).toMatch(/^Cannot set the header x: /)
    expect(failure(headers({ add: [{ name: 'x', value }] }, 'responseHeaders'))).toMatch(/^Cannot set the header x: /)
  })

  it.each(['', 'a b', 'a:b', ':path', 'x\r\ny', 'é'])('refuse the name %j', (name) => {
    expect(failure(headers({ set: [{ name, value: 'v' }] }))).toMatch(/must be a token/)
    expect(failure(headers({ remove: [name] }))).toMatch(/must be a token/)
  })

  it.each(['Content-Length', 'transfer-encoding', 'Connection', 'Upgrade', 'Host'])('leave %s to the gateway', (name) => {
    expect(failure(headers({ set: [{ name, value: '1' }] }))).toContain(`Cannot modify the header ${name}`)
    expect(failure(headers({ remove: [name] }))).toContain(`Cannot modify the header ${name}`)
  })
})

describe('a filter that cannot be served', () => {
  it('answers before every other filter, with the first reason', () => {
    const fail = (reason: string): FilterConfig => ({ kind: 'fail', filter: 'ExtensionRef', reason, message: 'gone' })
    const compiled = compileFilters([{ kind: 'redirect', status: 302 }, fail('NotFound'), fail('Later')], context)
    expect(compiled).toEqual({
      answer: { kind: 'fail', filter: 'ExtensionRef', reason: 'NotFound', message: 'gone' },
      requestEdits: undefined,
      responseEdits: undefined,
      rewrite: undefined,
      seesForwarded: false,
    })
  })
})

describe('filters of a backend', () => {
  it('[feature:HTTPRouteBackendURLRewrite] [feature:HTTPRouteBackendRequestHeaderModification] belong to that backend alone', () => {
    const { config } = parseScenario('routes: {shop: {rules: [/ -> plain 1]}}')
    const filters: FilterConfig[] = [
      headers({ set: [{ name: 'x', value: '1' }] }),
      { kind: 'rewrite', path: { kind: 'full', value: '/b' } },
    ]
    const routes = config.routes.map((route) => ({
      ...route,
      rules: route.rules.map((rule) => ({
        ...rule,
        backends: [...rule.backends, { kind: 'pool' as const, pool: 'edited', weight: 1, filters }],
      })),
    }))
    const rule = compile({ ...config, routes }).rules.get('HTTPRoute/default/shop/0')
    const chosen = new Map(
      [rule?.chooseBackend(), rule?.chooseBackend()].map((backend) => [backend?.kind === 'pool' && backend.pool, backend]),
    )
    const edited = chosen.get('edited')
    expect(chosen.get('plain')).toMatchObject({ filters: undefined })
    expect(rule?.filters).toBeUndefined()
    if (edited?.kind !== 'pool') throw new Error('no backend')
    expect(edited.filters?.requestEdits?.set).toEqual([{ name: 'x', lower: 'x', value: '1' }])
    expect(edited.filters?.rewrite?.path?.('/a', 0)).toBe('/b')
  })
})

describe('redirects', () => {
  it('take the scheme of the request and the port of the listener', () => {
    const answer = compileFilters([{ kind: 'redirect', status: 308 }], context)?.answer
    if (answer?.kind !== 'redirect') throw new Error('no redirect')
    const view = request('GET', 'https://shop.example:9/a?b')
    expect(answer.redirect.status).toBe(308)
    expect(answer.redirect.location(view, 'https', 8443, 0)).toBe('https://shop.example:8443/a?b')
    expect(answer.redirect.location(view, 'https', 443, 0)).toBe('https://shop.example/a?b')
    expect(answer.redirect.location(view, 'http', 443, 0)).toBe('http://shop.example:443/a?b')
  })

  it('never name a host that the path made up', () => {
    for (const path of ['//evil.example/', '/\\evil.example', '///evil.example', '/%2F%2Fevil.example']) {
      const target = new URL(location({}, request('GET', `http://shop.example${path}`)))
      expect(target.host).toBe('shop.example')
    }
    expect(location({ path: { kind: 'full', value: '//evil.example' } })).toBe('http://shop.example//evil.example?b')
  })

  it('stay relative without a host, and then begin with one slash', () => {
    expect(location({}, { ...request('GET', 'http://x/'), host: '', path: '//evil.example/a' })).toBe('/evil.example/a')
    expect(location({ hostname: 'Shop.Example' }, { ...request('GET', 'http://x/'), host: '' })).toBe('http://shop.example/')
  })

  it('send the asterisk of OPTIONS to the root', () => {
    expect(location({}, { ...request('OPTIONS', 'http://shop.example/'), path: '*' })).toBe('http://shop.example/')
  })

  it('keep an IPv6 literal in its brackets', () => {
    expect(location({}, request('GET', 'http://[::1]:8080/a'))).toBe('http://[::1]/a')
  })

  it.each(['evil.example/', 'a b', 'a\r\nb', 'user@evil.example', '-a', ''])('refuse the hostname %j', (hostname) => {
    expect(failure({ kind: 'redirect', status: 302, hostname })).toMatch(/^Cannot redirect: the hostname must be a DNS name/)
    expect(failure({ kind: 'rewrite', hostname })).toMatch(/^Cannot rewrite the host: it must be a DNS name/)
  })
})

describe('path edits', () => {
  const path = fc.stringMatching(/^(\/[a-z.%2F;]{0,3}){1,4}$/).filter((text) => normalPath(text) === text)

  it('make normal paths of normal paths', () => {
    fc.assert(
      fc.property(path, path, fc.boolean(), (from, value, full) => {
        const edit = compilePathEdit({ kind: full ? 'full' : 'prefix', value })
        if (typeof edit !== 'function') throw new Error(edit.problem)
        const ends = [...from.matchAll(/\//g)].map(({ index }) => index)
        for (const prefixLength of [...ends, from.length]) {
          const edited = edit(from, prefixLength)
          expect(edited.startsWith('/')).toBe(true)
          expect(normalPath(edited)).toBe(edited)
        }
      }),
    )
  })

  it('escape what a path cannot hold', () => {
    const edit = compilePathEdit({ kind: 'full', value: '/a b?c#d\u00e9\u010a%41' })
    expect(typeof edit === 'function' && edit('/', 0)).toBe('/a%20b%3Fc%23d%C3%A9%C4%8AA')
  })

  it.each(['a', '/..', '/a/../../b', '/%zz', '/%00'])('refuse the replacement %j', (value) => {
    for (const kind of ['full', 'prefix'] as const)
      expect(failure({ kind: 'rewrite', path: { kind, value } })).toMatch(/^Cannot replace a path: /)
  })

  it('leave the asterisk of OPTIONS alone when they replace a prefix', () => {
    const edit = compilePathEdit({ kind: 'prefix', value: '/x' })
    expect(typeof edit === 'function' && edit('*', 0)).toBe('*')
  })
})
