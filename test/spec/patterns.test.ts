import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from '../../src/api/parse.ts'
import { servedVersions, walk } from './crds.ts'
import { embed } from './embed.ts'
import { findGatewayApi } from './gateway-api.ts'

const gatewayApi = findGatewayApi()

/** One place for each pattern; some of ours are written in another way, so that they cannot backtrack for long. */
function placesByPattern(): Map<string, { readonly kind: string; readonly version: string; readonly path: string }> {
  const places = new Map<string, { kind: string; version: string; path: string }>()
  for (const { kind, version, schema } of gatewayApi === undefined ? [] : servedVersions(gatewayApi)) {
    walk(schema, '', ({ pattern }, path) => {
      if (pattern !== undefined && path.startsWith('spec.') && !places.has(pattern)) places.set(pattern, { kind, version, path })
    })
  }
  return places
}

const ATOMS = [
  'a',
  'b.c',
  'A',
  '0',
  '99999',
  '-',
  '.',
  '_',
  '/',
  ':',
  '*',
  '*.',
  '%2f',
  '%',
  ' ',
  '\t',
  '~',
  '#',
  '?',
  '//',
  'https',
  's',
  'ms',
  'System',
  'é',
]
const texts = fc.array(fc.constantFrom(...ATOMS), { minLength: 1, maxLength: 6 }).map((atoms) => atoms.join(''))

describe.skipIf(gatewayApi === undefined)('patterns of the CRDs', () => {
  it.each([...placesByPattern()])('%s takes what ours takes', (pattern, { kind, version, path }) => {
    const theirs = new RegExp(pattern, 'u')
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parse(embed(kind, version, path, text))
        const refused = parsed.kind === 'invalid' && parsed.issues.some(({ code }) => code === 'pattern')
        expect({ text, refused }).toEqual({ text, refused: !theirs.test(text) })
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})
