import { describe, expect, it } from 'vitest'
import type { FilterConfig } from '../../../src/config/filter.ts'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

function edits(
  kind: 'requestHeaders' | 'responseHeaders',
  change: Partial<Pick<Extract<FilterConfig, { kind: 'requestHeaders' }>, 'set' | 'add' | 'remove'>>,
): FilterConfig {
  return { kind, set: [], add: [], remove: [], ...change }
}

async function scene(filters: readonly FilterConfig[], backendFilters: readonly FilterConfig[] = [], path = '/') {
  const web = await h.backend(always(response('ok', '200 OK', 'X-Web: 1\r\nServer: web\r\n')))
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ path, backends: ['web'], filters, backendFilters }] })
  return { web, client: await h.client(gate) }
}

describe('filters', () => {
  it("edit the request's fields: set, add, remove, of the rule and then of the backend", async () => {
    const { web, client } = await scene(
      [edits('requestHeaders', { set: [{ name: 'X-Set', value: 'rule' }], add: [{ name: 'X-Add', value: 'rule' }], remove: ['x-gone'] })],
      [edits('requestHeaders', { set: [{ name: 'x-set', value: 'backend' }], add: [{ name: 'X-Add', value: 'backend' }] })],
    )
    await client.request({ fields: ['x-SET: client', 'X-Set: client', 'X-Add: client', 'X-Gone: client', 'X-Other: client'] })
    const request = web.request
    const headers = (name: string) => request.headers(name)
    expect(headers('x-set')).toEqual(['backend'])
    expect(headers('x-add').join(', ')).toBe('client, rule, backend')
    expect(headers('x-gone')).toEqual([])
    expect(headers('x-other')).toEqual(['client'])
  })

  it('[wire:exchange-strip-first] set what a client cannot strip with Connection', async () => {
    const { web, client } = await scene([edits('requestHeaders', { set: [{ name: 'X-User', value: 'gateway' }] })])
    await client.request({ fields: ['Connection: X-User', 'X-User: client'] })
    expect(web.request.headers('x-user')).toEqual(['gateway'])
  })

  it('[wire:exchange-strip-first] may change what the gateway says of the client', async () => {
    const { web, client } = await scene([
      edits('requestHeaders', { set: [{ name: 'X-Forwarded-Proto', value: 'https' }], remove: ['x-forwarded-host'] }),
    ])
    await client.request()
    expect(web.request.headers('x-forwarded-proto')).toEqual(['https'])
    expect(web.request.headers('x-forwarded-host')).toEqual([])
    expect(web.request.headers('x-forwarded-for')).toEqual(['127.0.0.1'])
  })

  it('cannot touch the framing: such a filter is a 500', async () => {
    const { web, client } = await scene([edits('requestHeaders', { set: [{ name: 'Content-Length', value: '0' }] })])
    expect((await client.request({ method: 'POST', body: 'abc' })).status).toBe(500)
    expect(web.connections).toHaveLength(0)
  })

  it("edit the answer's fields, those of the backend before those of the rule", async () => {
    const { client } = await scene(
      [edits('responseHeaders', { set: [{ name: 'X-Web', value: 'rule' }], remove: ['server'] })],
      [edits('responseHeaders', { set: [{ name: 'x-web', value: 'backend' }], add: [{ name: 'X-Add', value: 'backend' }] })],
    )
    const answer = await client.request()
    expect(answer.headers('x-web')).toEqual(['rule'])
    expect(answer.headers('x-add')).toEqual(['backend'])
    expect(answer.header('server')).toBeUndefined()
    expect(answer.body).toBe('ok')
  })

  it('write text outside of ASCII as UTF-8 bytes', async () => {
    const { web, client } = await scene([edits('requestHeaders', { set: [{ name: 'X-Text', value: 'čĊ' }] })])
    await client.request()
    expect(web.request.header('x-text')).toBe(Buffer.from('čĊ').toString('latin1'))
    expect(web.rest).toBe('')
  })

  it('rewrite host and path; the query stays', async () => {
    const { web, client } = await scene(
      [{ kind: 'rewrite', hostname: 'inner.example', path: { kind: 'prefix', value: '/in' } }],
      [],
      '/out',
    )
    await client.request({ target: '/out/a%2Fb?x=/out' })
    expect(web.request.line).toBe('GET /in/a%2Fb?x=/out HTTP/1.1')
    expect(web.request.headers('host')).toEqual(['inner.example'])
    expect(web.request.header('x-forwarded-host')).toBe('a.example')
  })

  it.each([
    [{ scheme: 'https', status: 301 } as const, 'https://a.example/out/x?y=1'],
    [{ hostname: 'b.example', status: 302 } as const, 'http://b.example/out/x?y=1'],
    [{ port: 8080, status: 303 } as const, 'http://a.example:8080/out/x?y=1'],
    [{ path: { kind: 'full', value: '/' }, status: 307 } as const, 'http://a.example/?y=1'],
    [{ path: { kind: 'prefix', value: '/in' }, status: 308 } as const, 'http://a.example/in/x?y=1'],
  ])('redirect: %j', async (redirect, location) => {
    const { web, client } = await scene([{ kind: 'redirect', ...redirect }], [], '/out')
    for (let i = 0; i < 2; i++) {
      const answer = await client.request({ target: '/out/x?y=1' })
      expect(answer.status).toBe(redirect.status)
      expect(answer.header('location')).toBe(location)
    }
    expect(web.connections).toHaveLength(0)
  })

  it('redirect on a backend, for its share', async () => {
    const { client } = await scene([], [{ kind: 'redirect', hostname: 'b.example', status: 302 }])
    expect((await client.request()).header('location')).toBe('http://b.example/')
  })
})
