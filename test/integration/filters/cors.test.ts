import { describe, expect, it } from 'vitest'
import type { CorsConfig, FilterConfig } from '../../../src/config/filter.ts'
import type { ClientAnswer } from '../../harness/client.ts'
import type { RuleSketch } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'
import { always, type Respond, response } from '../../harness/scripted-backend.ts'
import { versions } from './versions.ts'

const h = harness()

const site = 'https://www.foo.com'

function cors(change: Partial<CorsConfig> = {}): CorsConfig {
  return {
    kind: 'cors',
    origins: [site, 'https://*.bar.com'],
    credentials: true,
    methods: ['GET', 'OPTIONS'],
    headers: ['X-Header-1', 'X-Header-2'],
    exposeHeaders: ['X-Header-3'],
    maxAge: 3600,
    ...change,
  }
}

function preflight(origin: string, method: string, headers?: string) {
  const fields = [`Origin: ${origin}`, `Access-Control-Request-Method: ${method}`]
  return { method: 'OPTIONS', fields: headers === undefined ? fields : [...fields, `Access-Control-Request-Headers: ${headers}`] }
}

/** What an answer says about CORS, by the field's name without `access-control-`. */
function said(answer: ClientAnswer): Record<string, string> {
  const lines = answer.head.split('\r\n').filter((line) => /^access-control-/i.test(line))
  return Object.fromEntries(
    lines.map((line) => [line.slice('access-control-'.length, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
}

async function scene(filters: readonly FilterConfig[], rule: RuleSketch = {}, respond: Respond = always(response('web'))) {
  const web = await h.backend(respond)
  const gate = await h.gateway({ pools: { web: [web.port], none: [] }, rules: [{ backends: ['web'], filters, ...rule }] })
  return { web, gate }
}

describe.each(versions(h))('CORS over $name', ({ connect }) => {
  it('[wire:cors-preflight] a preflight is answered with 204 and what is allowed, and no backend hears of it', async () => {
    const { web, gate } = await scene([cors()])
    const client = await connect(gate)
    const answer = await client.request(preflight(site, 'GET', 'x-header-1'))
    expect([answer.status, answer.body]).toEqual([204, ''])
    expect(answer.header('content-length')).toBeUndefined()
    expect(answer.header('content-type')).toBeUndefined()
    expect(said(answer)).toEqual({
      'allow-origin': site,
      'allow-credentials': 'true',
      'allow-methods': 'GET, OPTIONS',
      'allow-headers': 'X-Header-1, X-Header-2',
      'expose-headers': 'X-Header-3',
      'max-age': '3600',
    })
    expect(answer.headers('vary')).toEqual(['Origin'])
    expect((await gate.record()).flag).toBe('preflight')
    // The connection goes on.
    expect((await client.request()).body).toBe('web')
    expect(web.requests).toHaveLength(1)
  })

  it('[wire:cors-refused] a preflight from an origin that is not allowed is a 204 that allows nothing', async () => {
    const { web, gate } = await scene([cors()])
    const client = await connect(gate)
    for (const origin of ['https://foobar.com', 'http://www.foo.com', 'https://bar.com', 'null', `${site}.evil.example`]) {
      const answer = await client.request(preflight(origin, 'GET'))
      expect([origin, answer.status, said(answer), answer.headers('vary')]).toEqual([origin, 204, {}, ['Origin']])
    }
    expect(web.connections).toHaveLength(0)
  })

  it('[wire:cors-wildcard] what is allowed with * is said as *, or as it was asked for', async () => {
    const { gate } = await scene([cors({ origins: ['*'], credentials: false, methods: ['*'], headers: ['*'], exposeHeaders: ['*'] })])
    const client = await connect(gate)
    expect(said(await client.request(preflight('https://any.example', 'PURGE', 'x-a, x-b')))).toEqual({
      'allow-origin': '*',
      'allow-methods': 'PURGE',
      'allow-headers': 'x-a, x-b',
      'expose-headers': '*',
      'max-age': '3600',
    })
  })

  it('[wire:cors-wildcard] with credentials * is never said', async () => {
    const { gate } = await scene([cors({ origins: ['*'], methods: ['*'], headers: ['*'], exposeHeaders: ['*'] })])
    const client = await connect(gate)
    const answer = await client.request(preflight('https://any.example', 'PUT'))
    expect(said(answer)).toEqual({
      'allow-origin': 'https://any.example',
      'allow-credentials': 'true',
      'allow-methods': 'PUT',
      'max-age': '3600',
    })
    const actual = await client.request({ fields: ['Origin: https://any.example'] })
    expect(said(actual)).toEqual({ 'allow-origin': 'https://any.example', 'allow-credentials': 'true' })
    expect(actual.headers('vary')).toEqual(['Origin'])
  })

  it('[wire:cors-preflight] an OPTIONS request that is no preflight goes to the backend', async () => {
    const { web, gate } = await scene([cors()])
    const client = await connect(gate)
    expect((await client.request({ method: 'OPTIONS' })).body).toBe('web')
    expect((await client.request({ method: 'OPTIONS', fields: [`Origin: ${site}`] })).body).toBe('web')
    expect((await client.request({ method: 'GET', fields: preflight(site, 'GET').fields })).body).toBe('web')
    expect(web.requests).toHaveLength(3)
  })

  it('[wire:cors-actual] the answer to an allowed origin names it, and what may be read', async () => {
    const { web, gate } = await scene([cors()])
    const client = await connect(gate)
    const answer = await client.request({ fields: ['Origin: https://a.b.bar.com'] })
    expect(answer.body).toBe('web')
    expect(said(answer)).toEqual({ 'allow-origin': 'https://a.b.bar.com', 'allow-credentials': 'true', 'expose-headers': 'X-Header-3' })
    expect(web.request.headers('origin')).toEqual(['https://a.b.bar.com'])
  })

  it('[wire:cors-refused] the answer to another origin, or to none, is served without any of it', async () => {
    const { gate } = await scene([cors()])
    const client = await connect(gate)
    for (const fields of [['Origin: https://foobar.com'], []]) {
      const answer = await client.request({ fields })
      expect([answer.body, said(answer), answer.headers('vary')]).toEqual(['web', {}, ['Origin']])
    }
  })

  it("[wire:cors-backend] what the backend says of CORS is taken away, the gateway's own is there once", async () => {
    const own = 'Access-Control-Allow-Origin: *\r\naccess-control-allow-credentials: false\r\nAccess-Control-Allow-Methods: X\r\n'
    const { gate } = await scene([cors()], {}, always(response('web', '200 OK', own)))
    const client = await connect(gate)
    const allowed = await client.request({ fields: [`Origin: ${site}`] })
    expect(allowed.headers('access-control-allow-origin')).toEqual([site])
    expect(said(allowed)).toEqual({ 'allow-origin': site, 'allow-credentials': 'true', 'expose-headers': 'X-Header-3' })
    expect(said(await client.request({ fields: ['Origin: https://foobar.com'] }))).toEqual({})
  })

  it.each([
    ['Accept-Encoding', ['Accept-Encoding', 'Origin']],
    ['accept, ORIGIN', ['accept, ORIGIN']],
    ['*', ['*']],
  ])('[wire:cors-vary] Vary says Origin once beside what the backend said: %s', async (vary, expected) => {
    const { gate } = await scene([cors()], {}, always(response('web', '200 OK', `Vary: ${vary}\r\n`)))
    const client = await connect(gate)
    expect((await client.request({ fields: [`Origin: ${site}`] })).headers('vary')).toEqual(expected)
  })

  it('[wire:cors-vary] an answer that is the same for every origin does not vary', async () => {
    const { gate } = await scene([cors({ origins: ['*'], credentials: false })])
    const client = await connect(gate)
    const answer = await client.request()
    expect(answer.header('vary')).toBeUndefined()
    expect(answer.header('access-control-allow-origin')).toBe('*')
  })

  it("[wire:cors-own] the gateway's own answers carry it too: redirects and errors", async () => {
    const redirect: FilterConfig = { kind: 'redirect', hostname: 'b.example', status: 302 }
    const redirected = await scene([cors(), redirect])
    const client = await connect(redirected.gate)
    const answer = await client.request({ fields: [`Origin: ${site}`] })
    expect([answer.status, answer.header('location'), said(answer)['allow-origin']]).toEqual([302, 'http://b.example/', site])
    expect((await client.request(preflight(site, 'GET'))).status).toBe(204)

    const failing = await scene([cors()], { backends: ['none'] })
    const other = await (await connect(failing.gate)).request({ fields: [`Origin: ${site}`] })
    expect([other.status, said(other)['allow-origin']]).toEqual([503, site])
  })

  it('[wire:cors-order] it comes after the header filters of the route, for the request as the client sent it', async () => {
    const { web, gate } = await scene([
      cors(),
      { kind: 'requestHeaders', set: [{ name: 'Origin', value: 'https://inner.example' }], add: [], remove: [] },
      { kind: 'responseHeaders', set: [{ name: 'Access-Control-Allow-Origin', value: '*' }], add: [], remove: [] },
    ])
    const answer = await (await connect(gate)).request({ fields: [`Origin: ${site}`] })
    expect(answer.headers('access-control-allow-origin')).toEqual([site])
    expect(web.request.headers('origin')).toEqual(['https://inner.example'])
  })

  it('[wire:cors-order] a filter that cannot be served answers before it', async () => {
    const { gate } = await scene([cors(), { kind: 'fail', filter: 'x', reason: 'UnsupportedValue', message: 'not served' }])
    expect((await (await connect(gate)).request(preflight(site, 'GET'))).status).toBe(500)
  })
})
