/** What a configuration writes into heads: paths, hosts and text, tried as an author's mistake and as a client's chance. */
import { describe, expect, it } from 'vitest'
import type { FilterConfig } from '../../../src/config/filter.ts'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

async function scene(filters: readonly FilterConfig[], backendFilters: readonly FilterConfig[] = [], path = '/') {
  const web = await h.backend(always(response('ok')))
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ path, backends: ['web'], filters, backendFilters }] })
  return { web, client: await h.client(gate) }
}

const prefix = (value: string): FilterConfig => ({ kind: 'rewrite', path: { kind: 'prefix', value } })
const full = (value: string): FilterConfig => ({ kind: 'rewrite', path: { kind: 'full', value } })
const host = (hostname: string): FilterConfig => ({ kind: 'rewrite', hostname })

describe('rewrites of a rule and of its backend', () => {
  it.each([
    ['two prefixes', prefix('/rule-with-a-long-name'), prefix('/b'), '/b/cart?x=1'],
    ['a whole path, then a prefix', full('/rule'), prefix('/b'), '/b/cart?x=1'],
    ['a prefix, then a whole path', prefix('/rule'), full('/b'), '/b?x=1'],
    ['a prefix, then a host', prefix('/rule'), host('b.example'), '/rule/cart?x=1'],
    ['a host, then a prefix', host('b.example'), prefix('/b'), '/b/cart?x=1'],
  ])('[wire:exchange-one-rewrite] begin with the path that was matched: %s', async (_what, rule, backend, target) => {
    const { web, client } = await scene([rule], [backend], '/shop')
    await client.request({ target: '/shop/cart?x=1' })
    expect(web.request.line).toBe(`GET ${target} HTTP/1.1`)
  })

  it.each([
    ['/shop', '/shop', '/'],
    ['/shop', '/shop/', '/'],
    ['/shop', '/shop//x', '//x'],
    ['/shop', '/shop/%2e%2e/shop/%2F..', '/%2F..'],
    ['/shop', '/%73hop/%C4%8D%E9', '/%C4%8D%E9'],
    ['/', '//x', '//x'],
  ])('[wire:exchange-one-rewrite] of %s to nothing turn %s to %s', async (path, target, arrives) => {
    const { web, client } = await scene([prefix('/')], [], path)
    await client.request({ target: `${target}?/../%00#`.replace('#', '') })
    expect(web.request.line).toBe(`GET ${arrives}?/../%00 HTTP/1.1`)
  })
})

describe('text of a configuration', () => {
  // As latin1 each of them would lose its upper byte and become CR or LF.
  const dangerous = ['\u010d\u010aX-Evil: 1', '\u560a\u560d', 'č', '\u0100']

  it.each(dangerous)('[wire:header-text] %j in a header of request and answer is its UTF-8 bytes', async (text) => {
    const edits = { add: [], remove: [], set: [{ name: 'X-Text', value: text }] }
    const { web, client } = await scene([
      { kind: 'requestHeaders', ...edits },
      { kind: 'responseHeaders', ...edits },
    ])
    const answer = await client.request()
    const bytes = Buffer.from(text).toString('latin1')
    expect([web.request.header('x-text'), answer.header('x-text')]).toEqual([bytes, bytes])
    expect([web.request.header('x-evil'), answer.header('x-evil'), web.rest]).toEqual([undefined, undefined, ''])
  })

  it.each([...dangerous, '\r\nX-Evil: 1', ' HTTP/1.1\r\nX-Evil: 1\r\n\r\n'])(
    '[wire:header-text] %j in a path is percent-encoded',
    async (text) => {
      const { web, client } = await scene([full(`/${text}`)])
      await client.request()
      expect(web.request.line).toBe(`GET /${encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%3A', ':')} HTTP/1.1`)
    },
  )

  it.each(['a\r\nb', 'a\nX-Evil: 1', 'a\0', '\x7f', 'a\rb'])(
    '[wire:header-text] %j in a header answers with 500, and nothing is sent',
    async (value) => {
      const { web, client } = await scene([{ kind: 'requestHeaders', add: [], remove: [], set: [{ name: 'X-Text', value }] }])
      expect((await client.request()).status).toBe(500)
      expect(web.connections).toHaveLength(0)
    },
  )

  it.each(['evil\r\nX-Evil: 1', 'a b', 'č.example', 'a/b', 'x@a', ''])(
    '[wire:header-text] the hostname %j answers with 500',
    async (hostname) => {
      for (const filter of [host(hostname), { kind: 'redirect', status: 302, hostname } as const]) {
        const { web, client } = await scene([filter])
        expect((await client.request()).status).toBe(500)
        expect(web.connections).toHaveLength(0)
      }
    },
  )
})

describe('a Location', () => {
  it.each([
    ['//evil.example/x', 'http://a.example:80//evil.example/x'],
    ['/%0d%0aSet-Cookie:x', 'http://a.example:80/%0D%0ASet-Cookie:x'],
    ['/\\evil.example', 'http://a.example:80/\\evil.example'],
    ['/\xe9?\xff#'.replace('#', ''), 'http://a.example:80/%E9?%FF'],
  ])('[wire:header-location] of %j is an absolute URL of the same host: %s', async (target, location) => {
    const { client } = await scene([{ kind: 'redirect', status: 302 }])
    const answer = await client.request({ target })
    expect(
      answer
        .header('location')
        ?.replace(/:\d+\//, ':80/')
        .replace('a.example/', 'a.example:80/'),
    ).toBe(location)
    expect(answer.headers('set-cookie')).toEqual([])
  })

  it('[wire:header-location] without a host, in HTTP/1.0, is a path that names none', async () => {
    const { client } = await scene([{ kind: 'redirect', status: 302 }])
    client.send('GET //evil.example/x HTTP/1.0\r\n\r\n')
    expect((await client.answer()).header('location')).toBe('/evil.example/x')
  })
})
