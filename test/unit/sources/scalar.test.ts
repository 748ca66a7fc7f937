import { describe, expect, it } from 'vitest'
import { plainScalar } from '../../../src/sources/file/scalar.ts'
import { parseText } from '../../../src/sources/file/yaml-value.ts'

const cases: readonly (readonly [string, string | number | boolean | null])[] = [
  ['yes', true],
  ['On', true],
  ['y', true],
  ['NO', false],
  ['off', false],
  ['n', false],
  ['yES', 'yES'],
  ['~', null],
  ['Null', null],
  ['nULL', 'nULL'],
  ['0', 0],
  ['80', 80],
  ['-7', -7],
  ['+7', 7],
  ['1_000', 1000],
  ['0777', 511],
  ['0o17', 15],
  ['0x1F', 31],
  ['0b101', 5],
  ['089', 89],
  ['1.50', 1.5],
  ['.5', 0.5],
  ['1e3', 1000],
  ['12:30', '12:30'],
  ['2026-01-31', '2026-01-31'],
  ['10.0.0.1', '10.0.0.1'],
  ['1.2.3', '1.2.3'],
  ['10s', '10s'],
  ['-', '-'],
  ['v1', 'v1'],
]

describe('plain scalars, as kubectl reads them', () => {
  for (const [text, value] of cases) {
    it(`reads ${text} as ${JSON.stringify(value)}`, () => {
      expect(plainScalar(text)).toBe(value)
      if (text !== '-') expect(parseText(`key: ${text}\n`)).toEqual({ kind: 'value', value: { key: value } })
    })
  }

  it('leaves quoted and block scalars strings', () => {
    const parsed = parseText(`a: "yes"\nb: '80'\nc: |-\n  0777\nd: !!str 12\n`)
    expect(parsed).toEqual({ kind: 'value', value: { a: 'yes', b: '80', c: '0777', d: '12' } })
  })

  it('makes keys that are no strings strings', () => {
    expect(parseText('80: a\nyes: b\n')).toEqual({ kind: 'value', value: { 80: 'a', true: 'b' } })
  })
})
