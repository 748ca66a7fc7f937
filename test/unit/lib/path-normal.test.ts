import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalPath } from '../../../src/lib/path-normal.ts'

describe('[wire:path-normal] normalPath', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['*', '*'],
    ['/%61%2D%2e%5F%7e%30', '/a-._~0'],
    ['/%c3%a9%e9', '/%C3%A9%E9'],
    ['/a%2fb%5cc%25d', '/a%2Fb%5Cc%25d'],
    ['/%2541', '/%2541'],
    ['/%20%3f%23%2B', '/%20%3F%23%2B'],
    ['/a;b=1/c+d', '/a;b=1/c+d'],
    ['/a//b///', '/a//b///'],
    ['//a', '//a'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/a/..', '/'],
    ['/.', '/'],
    ['/a//../b', '/a/b'],
    ['//..', '/'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['/a/%2e/b', '/a/b'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a/.../b', '/a/.../b'],
    ['/a/..;/b', '/a/..;/b'],
    ['/a/..%2Fb', '/a/..%2Fb'],
    ['/a\\..\\b', '/a\\..\\b'],
    ['/a.b/..c/d..', '/a.b/..c/d..'],
    ["/[a]{b}|^'`", "/[a]{b}|^'`"],
  ])('makes %s to %s', (path, normal) => {
    expect(normalPath(path)).toBe(normal)
  })

  it.each(['/%', '/%4', '/%4g', '/%g4', '/a%', '/%%41', '/%0', '/%-1', '/% 1', '/%+1'])('[wire:path-broken-triple] refuses %s', (path) => {
    expect(normalPath(path)).toBeUndefined()
  })

  it.each(['/%00', '/a/%00b'])('[wire:path-nul] refuses %s', (path) => {
    expect(normalPath(path)).toBeUndefined()
  })

  it.each(['/..', '/../', '/a/../..', '/%2e%2e', '/a/../../a', '/./..'])('[wire:path-above-root] refuses %s', (path) => {
    expect(normalPath(path)).toBeUndefined()
  })

  const pieces = fc.constantFrom(
    '/',
    '/',
    '.',
    '..',
    '%2e',
    '%2E',
    '%2f',
    '%25',
    '%41',
    '%7e',
    '%c3',
    '%00',
    '%',
    'a',
    'b',
    ';',
    '+',
    '\\',
    '2e',
  )
  const paths = fc.array(pieces, { maxLength: 14 }).map((parts) => '/' + parts.join(''))

  it('leaves no dot segment, no lower-case triple and no encoded unreserved character', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const normal = normalPath(path)
        if (normal === undefined) return
        expect(normal.startsWith('/')).toBe(true)
        expect(normal.split('/')).not.toContain('.')
        expect(normal.split('/')).not.toContain('..')
        for (const [triple] of normal.matchAll(/%[0-9A-Fa-f]{2}/g)) {
          expect(triple).toBe(triple.toUpperCase())
        }
      }),
    )
  })

  it('is idempotent, so that a backend that normalises too reads the same path', () => {
    fc.assert(
      fc.property(paths, (path) => {
        const normal = normalPath(path)
        if (normal !== undefined) expect(normalPath(normal)).toBe(normal)
      }),
    )
  })

  it('agrees with the URL standard on paths of plain dot segments', () => {
    const plain = fc
      .array(fc.constantFrom('a', 'b', '.', '..', 'c.d', ''), { minLength: 1, maxLength: 8 })
      .map((parts) => '/' + parts.join('/'))
    fc.assert(
      fc.property(plain, (path) => {
        const normal = normalPath(path)
        if (normal !== undefined) expect(normal).toBe(new URL('http://host' + path).pathname)
      }),
    )
  })
})
