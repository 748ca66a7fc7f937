import { describe, expect, it } from 'vitest'
import { parseText } from '../../../src/sources/file/yaml-value.ts'

function problem(text: string): { readonly offset: number; readonly message: string } {
  const parsed = parseText(text)
  if (parsed.kind === 'value') throw new Error(`read as ${JSON.stringify(parsed.value)}`)
  return parsed
}

describe('the text of a document', () => {
  it('is refused with the place of a key that stands twice', () => {
    expect(problem('a: 1\nb: 2\na: 3\n').offset).toBe(10)
    expect(problem('{"a": {"b": 1, "b": 2}}')).toMatchObject({ offset: 15, message: 'the key "b" stands twice in one object' })
  })

  it('may have the same key in different objects', () => {
    expect(parseText('{"a": {"k": 1}, "b": [{"k": 1}, {"k": 2}], "k": "a: {\\"k\\""}').kind).toBe('value')
  })

  it('resolves anchors and merge keys', () => {
    const parsed = parseText('base: &base\n  a: 1\n  b: 2\nother:\n  <<: *base\n  b: 3\n')
    expect(parsed).toEqual({ kind: 'value', value: { base: { a: 1, b: 2 }, other: { a: 1, b: 3 } } })
  })

  it('may use one anchor in hundreds of places', () => {
    const uses = Array.from({ length: 400 }, (_, index) => `u${index}: *a\n`).join('')
    expect(parseText(`a: &a x\n${uses}`).kind).toBe('value')
  })

  it('is refused in no time when its aliases would grow without a bound', () => {
    let laughs = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n'
    let merges = 'a0: &a0 {x: 1}\n'
    for (let level = 1; level < 30; level++) {
      const below = `*a${level - 1}`
      laughs += `a${level}: &a${level} [${Array.from({ length: 9 }, () => below).join(', ')}]\n`
      merges += `a${level}: &a${level} {p: {<<: ${below}}, q: {<<: ${below}}}\n`
    }
    const began = performance.now()
    expect(problem(laughs).message).toMatch(/alias/i)
    expect(problem(merges).message).toMatch(/alias/i)
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('is refused, not thrown, when it is nested beyond the stack', () => {
    const deep = `a: ${'['.repeat(100_000)}`
    expect(() => parseText(deep)).not.toThrow()
    for (const levels of [201, 100_000]) {
      expect(problem(`{"a": ${'['.repeat(levels)}${']'.repeat(levels)}}`).message).toMatch(/nested|stack/)
    }
  })

  it('cannot set the prototype of an object', () => {
    const parsed = parseText('__proto__:\n  polluted: true\n')
    expect(parsed.kind === 'value' && Object.keys(parsed.value as object)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
