/** Objects with known fields. */
import { nearest } from '../../lib/nearest.ts'
import { show } from '../issue.ts'
import { Reader } from './schema.ts'
import type { Rule, Schema } from './schema.ts'

/** What stands in the result when the field is absent: an error, nothing, or a value. */
interface RequiredField<T> {
  readonly absent: 'error'
  readonly schema: Schema<T>
}
interface OptionalField<T> {
  readonly absent: 'nothing'
  readonly schema: Schema<T>
}
interface FilledField<T> {
  readonly absent: 'value'
  readonly schema: Schema<T>
  readonly value: T
}
type Field = RequiredField<unknown> | OptionalField<unknown> | FilledField<unknown>

export function required<T>(schema: Schema<T>): RequiredField<T> {
  return { absent: 'error', schema }
}

export function optional<T>(schema: Schema<T>): OptionalField<T> {
  return { absent: 'nothing', schema }
}

/** The CRD's default, as it stands there: the schema reads it once, so that the defaults within it are filled in too. */
export function defaulted<T>(schema: Schema<T>, value: unknown): FilledField<T> {
  const reader = new Reader('default', '')
  const read = schema.read(value, reader)
  if (read === undefined) throw new Error(reader.issues.map((issue) => issue.message).join('; '))
  return { absent: 'value', schema, value: read }
}

/** A list or map without a default: absent and empty are one thing to every reader of the API, so the result never lacks it. */
export function listOrEmpty<T>(schema: Schema<readonly T[]>): FilledField<readonly T[]> {
  return { absent: 'value', schema, value: [] }
}

export function mapOrEmpty<T>(schema: Schema<Readonly<Record<string, T>>>): FilledField<Readonly<Record<string, T>>> {
  return { absent: 'value', schema, value: {} }
}

/** A status: the API server takes none from a manifest, so a wrong one is left out and never refuses the object. */
export function attempted<T>(schema: Schema<T>): OptionalField<T> {
  return { absent: 'nothing', schema: { read: (value, at) => at.attempt(schema, value) } }
}

type Fields = Readonly<Record<string, Field>>
type ValueOf<F> = F extends { readonly schema: Schema<infer T> } ? T : never
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K]['absent'] extends 'nothing' ? K : never }[keyof F]
type Shape<F extends Fields> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: ValueOf<F[K]>
}

export interface ObjectOptions<T> {
  readonly rules?: readonly Rule<T>[]
  /** Fields that the API knows and this project does not read; '*' when no field is unknown. */
  readonly unread?: readonly string[] | '*'
}

export function object<F extends Fields>(fields: F, options: ObjectOptions<Shape<F>> = {}): Schema<Shape<F>> {
  const { rules = [], unread = [] } = options
  const entries = Object.entries(fields)
  const known = unread === '*' ? undefined : new Set([...Object.keys(fields), ...unread])
  return {
    read(value, at) {
      if (!isRecord(value)) {
        at.error('type', 'must be an object', show(value))
        return undefined
      }
      const before = at.errors
      const result: Record<string, unknown> = {}
      for (const [name, field] of entries) {
        const given = value[name]
        if (given === undefined || given === null) {
          if (field.absent === 'error') at.error('required', 'must be set', 'nothing', [name])
          else if (field.absent === 'value') result[name] = field.value
          continue
        }
        at.enter(name)
        const read = field.schema.read(given, at)
        at.leave()
        if (read !== undefined) result[name] = read
      }
      if (known) warnOfUnknown(value, known, at)
      if (at.errors > before) return undefined
      const self = result as Shape<F>
      at.check(rules, self)
      return at.errors > before ? undefined : self
    },
  }
}

/** Says that the rules of a schema leave only values of a narrower type (a union that is told apart by `type`). */
export function narrowed<T extends object>(schema: Schema<object>): Schema<T> {
  return schema as Schema<T>
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function warnOfUnknown(value: Readonly<Record<string, unknown>>, known: ReadonlySet<string>, at: Reader): void {
  for (const name of Object.keys(value)) {
    if (known.has(name)) continue
    const near = nearest(name, known)
    at.warn('unknown-field', 'must be a field of the API', near === undefined ? 'an unknown one' : `an unknown one (meant ${near}?)`, [
      name,
    ])
  }
}
