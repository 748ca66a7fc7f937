/** Lists and maps. */
import { show } from '../issue.ts'
import { isRecord } from './object.ts'
import type { Rule, Schema } from './schema.ts'

export interface ListLimits<T> {
  readonly min?: number
  readonly max?: number
  /** `x-kubernetes-list-type: map`: no two items agree in this field. */
  readonly key?: keyof T & string
  /** `x-kubernetes-list-type: set`: no two items are equal. */
  readonly unique?: boolean
  readonly rules?: readonly Rule<readonly T[]>[]
}

export function list<T>(item: Schema<T>, limits: ListLimits<T> = {}): Schema<readonly T[]> {
  const { min = 0, max = Infinity, key, unique = false, rules = [] } = limits
  return {
    read(value, at) {
      if (!Array.isArray(value)) {
        at.error('type', 'must be a list', show(value))
        return undefined
      }
      const before = at.errors
      if (value.length < min) at.error('too-few', `must have at least ${min} ${min === 1 ? 'item' : 'items'}`, `${value.length}`)
      if (value.length > max) {
        at.error('too-many', `must have at most ${max} ${max === 1 ? 'item' : 'items'}`, `${value.length}`)
        return undefined
      }
      const items: T[] = []
      for (let i = 0; i < value.length; i++) {
        at.enter(i)
        const read = item.read(value[i], at)
        if (read !== undefined) items.push(read)
        at.leave()
      }
      if (at.errors > before) return undefined
      if (key !== undefined && items.length > 1) {
        forEachRepeated(items, key, (index, first) => {
          const got = `${show(items[index]?.[key])} as in item ${first}`
          at.error('duplicate-key', `must have a ${key} that no other item has`, got, [index])
        })
      }
      if (unique && items.length > 1) {
        forEachRepeated(items, undefined, (index, first) => {
          at.error('duplicate-item', 'must not occur twice in the list', `${show(items[index])} as in item ${first}`, [index])
        })
      }
      at.check(rules, items)
      return at.errors > before ? undefined : items
    },
  }
}

export interface MapLimits {
  readonly max?: number
  /** What a null stands for in the kinds of Kubernetes itself, which Go decodes to the zero of the type; in a CRD's map it is dropped. */
  readonly nullIs?: string
  readonly rules?: readonly Rule<Readonly<Record<string, unknown>>>[]
}

export function map<T>(item: Schema<T>, limits: MapLimits = {}): Schema<Readonly<Record<string, T>>> {
  const { max = Infinity, nullIs, rules = [] } = limits
  return {
    read(value, at) {
      if (!isRecord(value)) {
        at.error('type', 'must be an object', show(value))
        return undefined
      }
      const before = at.errors
      const entries: [string, T][] = []
      for (const [name, given] of Object.entries(value)) {
        const meant = given ?? nullIs
        if (meant === undefined) continue
        at.enter(name)
        const read = item.read(meant, at)
        if (read !== undefined) entries.push([name, read])
        at.leave()
      }
      if (entries.length > max) at.error('too-many', `must have at most ${max} entries`, `${entries.length}`)
      if (at.errors > before) return undefined
      // fromEntries defines its properties, so that a key like __proto__ is a key like any other.
      const result = Object.fromEntries(entries)
      at.check(rules, result)
      return at.errors > before ? undefined : result
    },
  }
}

/** The items whose key (or who themselves) occurred before, with the index of the first. */
function forEachRepeated<T>(items: readonly T[], key: keyof T | undefined, tell: (index: number, first: number) => void): void {
  const seen = new Map<unknown, number>()
  items.forEach((item, index) => {
    const identity = key === undefined ? item : item[key]
    const first = seen.get(identity)
    if (first === undefined) seen.set(identity, index)
    else tell(index, first)
  })
}
