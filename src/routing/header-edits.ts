/**
 * Header modifiers of one rule or backend, composed in their order into one set of edits (HTTPHeaderFilter: set
 * replaces, add appends to what is there, remove removes; of equal names in one list the first counts).
 */
import type { HeaderEdit, HeaderEdits } from '../config/filter.ts'
import { toByteString, toFieldValue } from './byte-string.ts'
import type { CompiledEdit, CompiledEdits } from './router.ts'
import type { Problem } from './problem.ts'

/** The composed edits, undefined when there is nothing to do, or why they cannot be applied. */
export function compileEdits(filters: readonly HeaderEdits[]): CompiledEdits | undefined | Problem {
  const fields = new Map<string, FieldState>()
  for (const filter of filters) {
    for (const edit of firstOfName(filter.set)) {
      const compiled = compileEdit(edit)
      if ('problem' in compiled) return compiled
      fields.set(compiled.lower, { replaced: true, values: [compiled] })
    }
    for (const edit of firstOfName(filter.add)) {
      const compiled = compileEdit(edit)
      if ('problem' in compiled) return compiled
      const before = fields.get(compiled.lower)
      fields.set(compiled.lower, { replaced: before?.replaced ?? false, values: [...(before?.values ?? []), compiled] })
    }
    for (const name of filter.remove) {
      const problem = nameProblem(name)
      if (problem !== undefined) return { problem }
      fields.set(name.toLowerCase(), { replaced: true, values: [] })
    }
  }
  return fields.size === 0 ? undefined : asEdits(fields)
}

/** What the edits so far do to one field: forget what was there or keep it, then append these. */
interface FieldState {
  readonly replaced: boolean
  readonly values: readonly CompiledEdit[]
}

function asEdits(fields: ReadonlyMap<string, FieldState>): CompiledEdits {
  const set: CompiledEdit[] = []
  const add: CompiledEdit[] = []
  const remove = new Set<string>()
  for (const [lower, { replaced, values }] of fields) {
    const [first, ...rest] = values
    if (!replaced) add.push(...values)
    else if (first === undefined) remove.add(lower)
    else {
      set.push(first)
      add.push(...rest)
    }
  }
  return { set, add, remove }
}

function firstOfName(edits: readonly HeaderEdit[]): readonly HeaderEdit[] {
  const seen = new Set<string>()
  return edits.filter(({ name }) => {
    const isFirst = !seen.has(name.toLowerCase())
    seen.add(name.toLowerCase())
    return isFirst
  })
}

function compileEdit(edit: HeaderEdit): CompiledEdit | Problem {
  const problem = nameProblem(edit.name)
  if (problem !== undefined) return { problem }
  const value = toFieldValue(edit.value)
  if (value === undefined)
    return { problem: `Cannot set the header ${edit.name}: its value must not hold CR, LF, NUL or other control characters` }
  return { name: toByteString(edit.name), lower: edit.name.toLowerCase(), value }
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Fields that say where a message ends, what a connection does, or whom it is for: the gateway's own, no filter may touch them. */
const ownFields = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What the gateway says of the client. */
const forwardedFields: readonly string[] = [
  'x-forwarded-client-cert',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
]

export function editsForwarded(edits: CompiledEdits | undefined): boolean {
  if (edits === undefined) return false
  const { set, add, remove } = edits
  return [...set, ...add].some(({ lower }) => forwardedFields.includes(lower)) || forwardedFields.some((name) => remove.has(name))
}

export function isOwnField(name: string): boolean {
  return ownFields.has(name.toLowerCase())
}

/** The first one that cannot be a name of a field or a method. */
export function firstBadName(names: readonly string[]): string | undefined {
  return names.find((name) => !token.test(name))
}

function nameProblem(name: string): string | undefined {
  if (!token.test(name)) return `Cannot modify a header: its name must be a token of RFC 9110, got ${JSON.stringify(name)}`
  if (!isOwnField(name)) return undefined
  const instead = name.toLowerCase() === 'host' ? ', a URLRewrite filter with a hostname changes it' : ''
  return `Cannot modify the header ${name}: it must be left to the gateway, which frames the message${instead}`
}
