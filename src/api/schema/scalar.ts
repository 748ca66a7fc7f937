/** Texts, numbers, truth values. */
import { show } from '../issue.ts'
import type { Reader, Schema } from './schema.ts'

export interface TextLimits {
  /** Code points, as OpenAPI counts. */
  readonly min?: number
  readonly max?: number
  /** Asked after the lengths only, so that no long text meets a pattern that backtracks. */
  readonly pattern?: RegExp
  /** What the pattern stands for: `must be <is>`. */
  readonly is?: string
}

export function text(limits: TextLimits = {}): Schema<string> {
  const { min = 0, max = Infinity, pattern, is = `text that matches ${pattern?.source ?? ''}` } = limits
  return {
    read(value, at) {
      if (typeof value !== 'string') return refuse(at, 'type', 'must be text', show(value) + hint(value))
      if (value.length > max && codePoints(value) > max) {
        return refuse(at, 'too-long', `must be at most ${max} characters long`, `${codePoints(value)}`)
      }
      if (value.length < min) {
        return refuse(at, 'too-short', min === 1 ? 'must not be empty' : `must be at least ${min} characters long`, show(value))
      }
      if (pattern && !pattern.test(value)) return refuse(at, 'pattern', `must be ${is}`, show(value))
      return value
    },
  }
}

export function oneOf<const T extends string | number>(...values: readonly T[]): Schema<T> {
  const known = new Map<unknown, T>(values.map((value) => [value, value]))
  const must = `must be ${values.length === 1 ? '' : 'one of '}${values.map((value) => value.toString()).join(', ')}`
  return {
    read(value, at) {
      const found = known.get(value)
      return found === undefined ? refuse(at, typeof value === typeof values[0] ? 'enum' : 'type', must, show(value)) : found
    },
  }
}

const INT32 = 2 ** 31 - 1

/** A whole number; without a maximum, one of 32 bits, as all of the API's are. */
export function integer(limits: { readonly min?: number; readonly max?: number } = {}): Schema<number> {
  const { min = -INT32 - 1, max = INT32 } = limits
  const range = limits.max === undefined ? `at least ${min}` : `between ${min} and ${max}`
  return {
    read(value, at) {
      if (typeof value !== 'number' || !Number.isInteger(value)) return refuse(at, 'type', 'must be a whole number', show(value))
      if (value < min) return refuse(at, 'minimum', `must be ${range}`, show(value))
      if (value > max) return refuse(at, 'maximum', `must be ${range}`, show(value))
      return value
    },
  }
}

export function truth(): Schema<boolean> {
  return {
    read: (value, at) => (typeof value === 'boolean' ? value : refuse(at, 'type', 'must be true or false', show(value))),
  }
}

/** A field whose value was settled before (apiVersion and kind). */
export function constant<const T>(value: T): Schema<T> {
  return { read: () => value }
}

function refuse(at: Reader, code: string, must: string, got: string): undefined {
  at.error(code, must, got)
}

/** YAML reads an unquoted 1.0 or yes as something else than text; say what to do about it. */
function hint(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? ' (put it in quotes)' : ''
}

function codePoints(value: string): number {
  let count = 0
  for (const _ of value) count++
  return count
}
