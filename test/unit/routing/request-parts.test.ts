import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers } from '../../../src/lib/hostname.ts'
import { toByteString } from '../../../src/routing/byte-string.ts'
import { HostIndex } from '../../../src/routing/host-index.ts'
import { LazySubject, parseQuery } from '../../../src/routing/query.ts'
import { compileRegex } from '../../../src/routing/regex.ts'
import { writtenRequest } from '../../../src/routing/request.ts'
import { request } from './small-world.ts'

describe('query parameters', () => {
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2', { a: '1' }],
    ['a&b=', { a: '', b: '' }],
    ['&&a=1&', { a: '1' }],
    ['a=b=c', { a: 'b=c' }],
    ['=x', { '': 'x' }],
    ['a=1+2%2B3', { a: '1 2+3' }],
    ['%61%3D=%26', { 'a=': '&' }],
    ['a=%zz%4', { a: '%zz%4' }],
    ['a=%C3%A9', { a: '\u00c3\u00a9' }],
    ['__proto__=x', { ['__proto__']: 'x' }],
    ['a;b=1', { 'a;b': '1' }],
  ])('reads %j', (query, expected) => {
    expect([...parseQuery(query)]).toEqual(Object.entries(expected))
  })

  it('never throws, and reads what was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (value, junk) => {
        expect(parseQuery(`a=${encodeURIComponent(value)}&${junk}`).get('a')).toBe(toByteString(value))
      }),
    )
  })

  it('are read once for each request, and only when asked for', () => {
    let reads = 0
    const view = request('GET', 'http://a.example/')
    const subject = new LazySubject({
      ...view,
      get query() {
        reads++
        return 'a=1&b=2'
      },
    })
    expect(reads).toBe(0)
    expect([subject.queryValue('a'), subject.queryValue('b'), subject.queryValue('c')]).toEqual(['1', '2', undefined])
    expect(reads).toBe(1)
  })
})

describe('regular expressions', () => {
  function matches(pattern: string, value: string): boolean {
    const regex = compileRegex(pattern)
    if ('problem' in regex) throw new Error(regex.problem)
    return regex.matches(value)
  }

  it('match the whole value and read bytes as UTF-8', () => {
    expect(matches('a|ab', 'ab')).toBe(true)
    expect(matches('a', 'ab')).toBe(false)
    expect(matches('caf[é]', toByteString('café'))).toBe(true)
    expect(matches('caf.', toByteString('café'))).toBe(true)
    expect(matches('caf..', toByteString('café'))).toBe(false)
  })

  it('take linear time for a pattern that stalls backtracking engines', () => {
    expect(matches('(a*)*b', 'a'.repeat(10_000))).toBe(false)
  })

  it('are a problem, not an exception, when they cannot be read', () => {
    for (const pattern of ['(', '(?=a)', '(a)\\1']) expect(compileRegex(pattern)).toEqual({ problem: expect.any(String) })
  })
})

describe('hosts', () => {
  const patterns = ['', '*.com', '*.a.com', 'x.a.com', 'a.com', '*.x.a.com', 'com']

  it('are asked from the most specific to the least', () => {
    const index = HostIndex.of(patterns.map((pattern) => [pattern, pattern] as const))
    const asked: string[] = []
    index.first('x.a.com', (pattern) => void asked.push(pattern))
    expect(asked).toEqual(['x.a.com', '*.a.com', '*.com', ''])
    expect(index.first('y.x.a.com', (pattern) => pattern)).toBe('*.x.a.com')
  })

  it('belong to the first of equal patterns', () => {
    const index = HostIndex.of(['', '*.a', 'b'].flatMap((pattern) => [[pattern, 1] as const, [pattern, 2] as const]))
    expect(['c', 'x.a', 'b'].map((name) => index.first(name, (value) => value))).toEqual([1, 1, 1])
  })

  it('are exactly those that cover the host', () => {
    const host = fc.stringMatching(/^\.?(x|a|com|\.){0,6}$/)
    fc.assert(
      fc.property(fc.subarray(patterns), host, (some, name) => {
        const asked: string[] = []
        HostIndex.of(some.map((pattern) => [pattern, pattern] as const)).first(name, (pattern) => void asked.push(pattern))
        expect(asked.toSorted()).toEqual(some.filter((pattern) => covers(pattern, name)).toSorted())
      }),
    )
  })

  it('cost nothing for a host of thousands of dots', () => {
    const index = HostIndex.of([['*.example.com', 'wild']])
    const host = `${'a.'.repeat(8000)}com`
    const start = performance.now()
    for (let i = 0; i < 1000; i++) index.first(host, (value) => value)
    expect(performance.now() - start).toBeLessThan(500)
  })
})

describe('a written request', () => {
  it('is read into what routing reads of a request', () => {
    const written = writtenRequest('GET', 'HTTPS://Shop.Example.:8443/%7Ea/./b?x=%61 é#frag', [
      ['Accept', 'a'],
      ['accept', 'b'],
      ['X-Name', 'é'],
    ])
    if ('problem' in written) throw new Error(written.problem)
    expect(written).toMatchObject({ scheme: 'https', port: 8443 })
    expect(written.request).toMatchObject({ method: 'GET', host: 'shop.example', path: '/~a/b', query: 'x=%61%20%C3%A9' })
    expect(written.request.header('accept')).toBe('a, b')
    expect(written.request.header('x-name')).toBe('\u00c3\u00a9')
    expect(written.request.header('x-other')).toBeUndefined()
  })

  it('has the port of its scheme and the root as its path unless it says otherwise', () => {
    expect(writtenRequest('GET', 'http://a', [])).toMatchObject({ scheme: 'http', port: 80, request: { path: '/', query: '' } })
    expect(writtenRequest('GET', 'https://[::1]?q', [])).toMatchObject({ port: 443, request: { host: '[::1]', path: '/', query: 'q' } })
  })

  it.each(['shop.example/', 'ftp://a/', 'http:///a', 'http://user@a/', 'http://a:port/', ''])('refuses the URL %j', (url) => {
    expect(writtenRequest('GET', url, [])).toEqual({ problem: expect.stringMatching(/^Cannot read the request: /) })
  })

  it('refuses a path that a gateway would refuse', () => {
    expect(writtenRequest('GET', 'http://a/../b', [])).toEqual({ problem: expect.stringMatching(/^Cannot route the request: /) })
  })
})
