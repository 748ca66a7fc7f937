/**
 * Values made from a place of a CRD's schema: one just right and, for each limit, one just wrong.
 * The limits are read from the CRDs when the test runs.
 */
import type { JsonSchema } from './crds.ts'
import { smallest } from './embed.ts'

export interface Probe {
  readonly what: string
  readonly value: unknown
  /** The issue that must come, at the place itself or below it. */
  readonly code: string
  readonly below?: readonly (string | number)[]
}

const GOOD_TEXTS = [
  'a',
  'a.b',
  'A',
  'HTTP',
  'example.com/a',
  '10s',
  '/a',
  '192.0.2.1',
  'IPAddress',
  'System',
  'spiffe://a/b',
  'https://a',
  'GET',
]
const BAD_TEXTS = ['-', ' ', 'a b', '\u0000', 'é', '/', '[', 'A_', 'aé', '/ ']

/** A value that keeps every limit of the schema and every rule at `path`. */
export function good(kind: string, path: string, schema: JsonSchema): unknown {
  const { type = 'boolean' } = schema
  switch (type) {
    case 'object':
      if (schema.additionalProperties) return { key: good(kind, `${path}{}`, schema.additionalProperties) }
      return smallest(kind, path)
    case 'array':
      return Array.from({ length: schema.minItems ?? 1 }, () => good(kind, `${path}[]`, schema.items ?? {}))
    case 'integer':
      return schema.enum?.[0] ?? schema.minimum ?? 1
    case 'boolean':
      return true
    case 'string':
      return schema.enum?.[0] ?? GOOD_TEXTS.find((text) => matches(schema, text) && text.length <= (schema.maxLength ?? Infinity))
  }
}

export function probes(kind: string, path: string, schema: JsonSchema): Probe[] {
  const list: Probe[] = [{ what: 'wrong type', value: schema.type === 'string' ? 7 : 'text', code: 'type' }]
  const {
    maxLength,
    minLength = 0,
    minimum,
    maximum,
    format,
    minItems = 0,
    maxItems,
    minProperties = 0,
    maxProperties,
    required = [],
    items,
  } = schema

  if (maxLength !== undefined) list.push({ what: 'one character too long', value: 'a'.repeat(maxLength + 1), code: 'too-long' })
  if (minLength > 0) list.push({ what: 'too short', value: 'a'.repeat(minLength - 1), code: 'too-short' })
  if (schema.pattern !== undefined) {
    const bad = BAD_TEXTS.find((text) => !matches(schema, text))
    list.push({ what: 'against the pattern', value: bad, code: 'pattern' })
  }
  if (schema.enum) list.push({ what: 'none of the enum', value: schema.type === 'integer' ? 999 : 'None of them', code: 'enum' })
  if (schema.type === 'integer' && !schema.enum) {
    list.push({ what: 'a fraction', value: 1.5, code: 'type' })
    if (minimum !== undefined) list.push({ what: 'below the minimum', value: minimum - 1, code: 'minimum' })
    if (maximum !== undefined) list.push({ what: 'above the maximum', value: maximum + 1, code: 'maximum' })
    else if (format === 'int32') list.push({ what: 'above 32 bits', value: 2 ** 31, code: 'maximum' })
  }
  if (maxItems !== undefined && items) {
    const item = good(kind, `${path}[]`, items)
    list.push({ what: 'too many items', value: Array.from({ length: maxItems + 1 }, () => item), code: 'too-many' })
  }
  if (minItems > 0) list.push({ what: 'too few items', value: [], code: 'too-few' })
  if (items) list.push({ what: 'a null item', value: [null], code: 'type', below: [0] })
  if (items && schema['x-kubernetes-list-type'] === 'map') {
    const item = good(kind, `${path}[]`, items)
    list.push({ what: 'a key twice', value: [item, item], code: 'duplicate-key', below: [1] })
  }
  if (items && schema['x-kubernetes-list-type'] === 'set') {
    const item = good(kind, `${path}[]`, items)
    list.push({ what: 'an item twice', value: [item, item], code: 'duplicate-item', below: [1] })
  }
  if (maxProperties !== undefined) {
    const value = Object.fromEntries(Array.from({ length: maxProperties + 1 }, (_, i) => [`key${i}`, 'a']))
    list.push({ what: 'too many entries', value, code: 'too-many' })
  }
  if (minProperties > 0) list.push({ what: 'too few entries', value: {}, code: 'too-few' })
  for (const name of required) {
    const { [name]: _, ...rest } = smallest(kind, path)
    list.push({ what: `no ${name}`, value: rest, code: 'required', below: [name] })
  }
  if (schema.type === 'object' && !schema.additionalProperties) {
    list.push({ what: 'an unknown field', value: { ...smallest(kind, path), unheardOf: 1 }, code: 'unknown-field', below: ['unheardOf'] })
  }
  return list
}

/** Values at the very limits: every word of an enum, the numbers at both ends, the longest text if a row of one letter keeps the pattern. */
export function limits({ type, minimum, maximum, maxLength = Infinity, pattern, enum: words }: JsonSchema): readonly unknown[] {
  if (words) return words
  if (type === 'integer') return [minimum, maximum].filter((end) => end !== undefined)
  const longest = maxLength < Infinity ? 'a'.repeat(maxLength) : undefined
  return type === 'string' && longest !== undefined && (pattern === undefined || new RegExp(pattern).test(longest)) ? [longest] : []
}

function matches({ pattern, minLength = 0 }: JsonSchema, text: string): boolean {
  return text.length >= minLength && (pattern === undefined || new RegExp(pattern).test(text))
}
