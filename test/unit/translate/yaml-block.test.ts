import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { yamlBlock, type YamlValue } from '../../../src/translate/yaml-block.ts'

const leaf = fc.oneof(
  fc.string(),
  fc.constantFrom('true', 'No', 'null', '1.5', '0x1', '', '~', '-', 'a: b', '#x', '*.example.com'),
  fc.integer(),
  fc.boolean(),
)
const { value } = fc.letrec<{ value: YamlValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .array(tie('value'), { minLength: 1, maxLength: 3 })
      .filter((list) => list.every((one) => typeof one !== 'object' || Object.keys(one).length > 0)),
    fc.dictionary(fc.string(), tie('value'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  ),
}))

describe('the YAML of messages', () => {
  it('is read back as it was, whatever the texts look like', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(parse(yamlBlock(one))).toEqual(one)
      }),
    )
  })

  it('is written as people write it', () => {
    const object = {
      kind: 'Namespace',
      metadata: { name: 'app', labels: { purpose: 'routing', 'on-call': 'yes' } },
      list: ['a', { b: 1, c: [] }],
      none: {},
    }
    expect(yamlBlock(object)).toBe(
      [
        'kind: Namespace',
        'metadata:',
        '  name: app',
        '  labels:',
        '    purpose: routing',
        '    on-call: "yes"',
        'list:',
        '- a',
        '- b: 1',
        '  c: []',
        'none: {}',
      ].join('\n'),
    )
  })
})
