import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CorsConfig } from '../../../src/config/filter.ts'
import { compileCors } from '../../../src/routing/cors.ts'
import type { CompiledCors, CompiledEdit } from '../../../src/routing/router.ts'
import { request } from './small-world.ts'

function cors(config: Partial<CorsConfig>): CompiledCors {
  const compiled = compileCors({
    kind: 'cors',
    origins: ['https://shop.example'],
    credentials: false,
    methods: [],
    headers: [],
    exposeHeaders: [],
    maxAge: 5,
    ...config,
  })
  if ('problem' in compiled) throw new Error(compiled.problem)
  return compiled
}

function lines(fields: readonly CompiledEdit[] | undefined): readonly string[] | undefined {
  return fields?.map(({ name, value }) => `${name}: ${value}`)
}

function preflight(config: Partial<CorsConfig>, origin: string, ...asked: readonly (readonly [string, string])[]) {
  const headers: readonly (readonly [string, string])[] = [['origin', origin], ['access-control-request-method', 'PUT'], ...asked]
  return lines(cors(config).preflight(request('OPTIONS', 'http://api.example/', headers)))
}

function decorated(config: Partial<CorsConfig>, origin?: string) {
  const headers: readonly (readonly [string, string])[] = origin === undefined ? [] : [['origin', origin]]
  const { set, add } = cors(config).decorate(request('GET', 'http://api.example/', headers))
  return [...(lines(set) ?? []), ...(lines(add) ?? []).map((line) => `+ ${line}`)]
}

const own = 'https://shop.example'
const asksHeaders = ['access-control-request-headers', 'x-a, Authorization'] as const

describe('a CORS filter, asked by a preflight', () => {
  it('[feature:HTTPRouteCORS] says all that the route says', () => {
    const config = { credentials: true, methods: ['GET', 'PUT'], headers: ['X-A', 'X-B'], exposeHeaders: ['X-C', 'X-D'], maxAge: 3600 }
    expect(preflight(config, own)).toEqual([
      'Access-Control-Allow-Origin: https://shop.example',
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Expose-Headers: X-C, X-D',
      'Access-Control-Allow-Methods: GET, PUT',
      'Access-Control-Allow-Headers: X-A, X-B',
      'Access-Control-Max-Age: 3600',
      'Vary: Origin',
    ])
  })

  it('leaves out what the route leaves out', () => {
    expect(preflight({}, own, asksHeaders)).toEqual([
      'Access-Control-Allow-Origin: https://shop.example',
      'Access-Control-Max-Age: 5',
      'Vary: Origin',
    ])
  })

  it('says nothing but Vary to an origin that is not allowed, and to every one where the route allows none', () => {
    expect(preflight({ methods: ['*'] }, 'https://evil.example')).toEqual(['Vary: Origin'])
    expect(preflight({ origins: [], methods: ['*'] }, own)).toEqual(['Vary: Origin'])
  })

  it('allows every origin with "*", which is said once for all without credentials, and by name with them', () => {
    expect(preflight({ origins: ['*'] }, 'https://any.example')).toEqual(['Access-Control-Allow-Origin: *', 'Access-Control-Max-Age: 5'])
    expect(preflight({ origins: ['*'], credentials: true }, 'https://any.example:81')).toEqual([
      'Access-Control-Allow-Origin: https://any.example:81',
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Max-Age: 5',
      'Vary: Origin',
    ])
    expect(preflight({ origins: ['*'], credentials: true }, 'https://a.example, https://b.example')).toEqual(['Vary: Origin'])
  })

  it.each([false, true])('names the method and the headers that were asked for where all are allowed (credentials: %s)', (credentials) => {
    const answer = preflight({ methods: ['*'], headers: ['*'], credentials }, own, asksHeaders)
    expect(answer).toContain('Access-Control-Allow-Methods: PUT')
    expect(answer).toContain('Access-Control-Allow-Headers: x-a, Authorization')
  })

  it('says "*" for headers that were not asked for, and with credentials nothing', () => {
    expect(preflight({ headers: ['*'] }, own)).toContain('Access-Control-Allow-Headers: *')
    expect(preflight({ headers: ['*'], credentials: true }, own)?.join()).not.toContain('Allow-Headers')
  })

  it('repeats nothing that is no list of names', () => {
    const asked = ['access-control-request-headers', 'x-a; <script>'] as const
    expect(preflight({ headers: ['*'], credentials: true }, own, asked)?.join()).not.toContain('script')
  })

  it('is silent about any other request: another method, no origin, no method asked for', () => {
    const compiled = cors({})
    const ask = (view: Parameters<CompiledCors['preflight']>[0]) => compiled.preflight(view)
    const origin = ['origin', own] as const
    const method = ['access-control-request-method', 'GET'] as const
    expect(ask(request('GET', 'http://api.example/', [origin, method]))).toBeUndefined()
    expect(ask(request('OPTIONS', 'http://api.example/', [method]))).toBeUndefined()
    expect(ask(request('OPTIONS', 'http://api.example/', [origin]))).toBeUndefined()
  })
})

describe('a CORS filter, over a response', () => {
  it('lets the allowed origin read it, with the headers that the route exposes', () => {
    expect(decorated({ exposeHeaders: ['X-C'], credentials: true }, own)).toEqual([
      'Access-Control-Allow-Origin: https://shop.example',
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Expose-Headers: X-C',
      '+ Vary: Origin',
    ])
  })

  it('tells caches that it differs by origin even where no origin was sent or it is not allowed', () => {
    expect(decorated({})).toEqual(['+ Vary: Origin'])
    expect(decorated({}, 'https://evil.example')).toEqual(['+ Vary: Origin'])
  })

  it('is the same for everybody where every origin is allowed without credentials', () => {
    expect(decorated({ origins: ['*'], exposeHeaders: ['*'] })).toEqual([
      'Access-Control-Allow-Origin: *',
      'Access-Control-Expose-Headers: *',
    ])
  })

  it('never says "*" together with credentials', () => {
    const config = { origins: ['*'], methods: ['*'], headers: ['*'], exposeHeaders: ['*', 'X-C'], credentials: true }
    expect(decorated(config, own).join()).not.toContain('*')
    expect(preflight(config, own)?.join()).not.toContain('*')
    expect(decorated(config, own)).toContain('Access-Control-Expose-Headers: X-C')
  })

  it('takes away what the backend says about it, whatever the origin', () => {
    for (const origin of [own, 'https://evil.example']) {
      const { remove } = cors({}).decorate(request('GET', 'http://api.example/', [['origin', origin]]))
      expect([...remove]).toContain('access-control-allow-origin')
      expect([...remove]).toContain('access-control-allow-credentials')
    }
  })
})

describe('an allowed origin', () => {
  function allowed(pattern: string, origin: string): boolean {
    return decorated({ origins: [pattern] }, origin).length > 1
  }

  it.each([
    ['https://shop.example', 'https://shop.example', true],
    ['https://shop.example', 'https://SHOP.example', true],
    ['https://shop.example', 'https://shop.example:443', true],
    ['https://shop.example:443', 'https://shop.example', true],
    ['http://shop.example:80', 'http://shop.example', true],
    ['https://shop.example', 'http://shop.example', false],
    ['https://shop.example', 'https://shop.example:8443', false],
    ['https://shop.example', 'https://shop.example.evil', false],
    ['https://shop.example', 'null', false],
    ['https://*.shop.example', 'https://www.shop.example', true],
    ['https://*.shop.example', 'https://a.b.shop.example', true],
    ['https://*.shop.example', 'https://shop.example', false],
    ['https://*.shop.example', 'https://.shop.example.evil', false],
    ['https://*.shop.example', 'https://evilshop.example', false],
    ['https://*.shop.example', 'https://evil.example/.shop.example', false],
    ['https://*.shop.example', 'https://evil.example#.shop.example', false],
    ['https://*.shop.example', 'https://www.shop.example:8443', false],
    ['https://*.shop.example:8443', 'https://www.shop.example:8443', true],
    ['https://*', 'https://anything.example', true],
    ['http://*', 'http://[::1]', true],
    ['https://*', 'http://anything.example', false],
    ['*', 'null', true],
    ['*', 'app://own', true],
  ])('%s covers %s: %s', (pattern, origin, expected) => {
    expect(
      pattern === '*' ? preflight({ origins: ['*'], credentials: true }, origin)?.[0]?.endsWith(origin) : allowed(pattern, origin),
    ).toBe(expected)
  })

  it('is never one that only looks like it: what a wildcard covers ends with its own labels', () => {
    fc.assert(
      fc.property(fc.webUrl(), (url) => {
        const origin = new URL(url).origin
        const covered = allowed('https://*.shop.example', origin)
        expect(covered).toBe(origin.startsWith('https://') && origin.endsWith('.shop.example'))
      }),
    )
  })

  it('is refused as a pattern when it is no origin', () => {
    for (const origins of [['shop.example'], ['https://a*.example'], ['https://a.example/path']]) {
      expect(() => cors({ origins })).toThrow('Cannot serve CORS: an origin must be')
    }
    expect(() => cors({ methods: ['GE T'] })).toThrow('must be tokens')
  })
})
