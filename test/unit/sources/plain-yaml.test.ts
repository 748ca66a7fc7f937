import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { parsePlainYaml } from '../../../src/sources/file/plain-yaml.ts'
import { parseFully } from '../../../src/sources/file/yaml-value.ts'
import { gatewayYaml, routeYaml } from './manifests.ts'

/** Whatever the fast reader reads, the full parser reads as the same value. */
function agree(text: string): void {
  const plain = parsePlainYaml(text)
  if (plain) expect({ text, kind: 'value', value: plain.value }).toEqual({ text, ...parseFully(text) })
}

/** Samples, set apart by ¦. */
function oneOf(samples: string): fc.Arbitrary<string> {
  return fc.constantFrom('', ' ', ...samples.trim().split(/\s*\n\s*|¦/))
}

const scalar = oneOf(String.raw`
  a¦a b¦yes¦80¦0777¦1e3¦-¦- x¦-5¦"q"¦'q'¦"q" # c¦"q"x¦'it''s'¦"\n"¦~¦*¦*.x¦&a¦*a¦!!str 1¦|¦>-¦{}¦[]¦{a: 1}¦[a, b]¦[¦{
  a: b¦a:¦:a¦?¦? a¦a #c¦a#c¦# c¦#¦http://x:80/¦%a¦@a¦${'`'}a¦, a¦<<¦=¦12:30¦2026-01-31¦null¦"¦'¦${'$'}{X}¦\¦é¦"a: b"¦a ¦...¦---
  {} # c¦[] ¦'a' 'b'¦.5¦+1¦a	b¦"a" ¦"a"#c¦'a'   # c¦a: ¦a : b¦-a¦--¦- - x¦ a¦"a":¦b: "c"`)
const key = oneOf(`a¦b¦name¦a.b/c¦yes¦n¦"q"¦'q'¦1¦<<¦?¦- a¦a b¦_x¦__proto__¦constructor¦~¦"a:b"¦-¦"a"¦'a'¦a#b`)
const line = fc
  .tuple(
    fc.nat({ max: 5 }),
    fc.constantFrom('', '- ', '-  ', '- - ', '-'),
    fc.option(key),
    fc.constantFrom(': ', ':', ':   ', ' : '),
    scalar,
  )
  .map(([indent, dash, name, colon, value]) => ' '.repeat(indent) + dash + (name === null ? value : name + colon + value))

describe('the fast reader', () => {
  it('reads the manifests that people write', () => {
    for (const text of [
      routeYaml('a'),
      gatewayYaml('b'),
      `# first\n${routeYaml('a')}\n# last`,
      'a:\n- b: 1\n  c: 2\n-\n  d: {}\n- e\nf: "x y" # z\ng:\nh: []\n',
    ]) {
      expect(parsePlainYaml(text)).toBeDefined()
      agree(text)
    }
  })

  it('agrees with the full parser on every text that it reads, or leaves it alone', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => agree(`${lines.join('\n')}\n`)),
      { numRuns: 3_000 },
    )
  })

  it('agrees with the full parser on manifests with any few characters changed', () => {
    const piece = fc.constantFrom(' ', '  ', '\n', '\n  ', '\t', ': ', '- ', ' #', '---\n', ...`-:#"'[{&*!|>x%`.split(''))
    const edit = fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 4 }), piece)
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = routeYaml('a')
        for (const [at, length, insert] of edits) text = text.slice(0, at) + insert + text.slice(at + length)
        agree(text)
      }),
      { numRuns: 3_000 },
    )
  })

  it('agrees with the full parser on whatever a library writes', () => {
    const word = fc.constantFrom('a', 'b c', 'yes', '80', 'x: y', '# z', '- q', 'http://h/', "it's", 'é', '', '/', 'a #b')
    const value = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'name', 'x.y/z', 'on'), tie('node'), { maxKeys: 4 }),
      ),
    })).node
    let read = 0
    fc.assert(
      fc.property(value, fc.boolean(), (written, indentSeq) => {
        const text = stringify(written, { indentSeq, lineWidth: 0 })
        if (parsePlainYaml(text)) read += 1
        agree(text)
      }),
      { numRuns: 1_000 },
    )
    expect(read).toBeGreaterThan(50)
  })
})
