import { describe, expect, it } from 'vitest'
import { formatPath, show } from '../../../src/api/issue.ts'

describe('paths of issues', () => {
  it.each([
    [['spec', 'rules', 0, 'matches', 1, 'path', 'value'], 'spec.rules[0].matches[1].path.value'],
    [['metadata', 'labels', 'example.com/a'], 'metadata.labels["example.com/a"]'],
    [['data', 'tls.crt'], 'data["tls.crt"]'],
    [[0, 'kind'], '[0].kind'],
    [[], ''],
  ])('%j is written %s', (path, text) => {
    expect(formatPath(path)).toBe(text)
  })
})

describe('values in messages', () => {
  it.each([
    [undefined, 'nothing'],
    [null, 'null'],
    ['a"b\n', '"a\\"b\\n"'],
    [80, '80'],
    [false, 'false'],
    [[1], 'a list'],
    [{ a: 1 }, 'an object'],
  ])('%j is shown as %s', (value, text) => {
    expect(show(value)).toBe(text)
  })

  it('are cut when they are long', () => {
    expect(show('a'.repeat(100))).toBe(`"${'a'.repeat(60)}..."`)
  })
})
