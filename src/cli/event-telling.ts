/** Which objects Events are about: what was judged, as the API server has it now. */
import type { Judged } from '../status/event-writer.ts'
import type { StatusOf } from '../translate/translation.ts'
import { statusOf } from './status-of.ts'

/** By kind, `namespace/name`; undefined: anything may have changed. */
export type ChangedPaths = ReadonlyMap<string, ReadonlySet<string>> | undefined

/** Of the object of that kind and `namespace/name`; undefined when there is none. */
export type UidOf = (kind: string, path: string) => string | undefined

export class EventTelling {
  readonly #tell: (judged: readonly Judged[]) => void
  readonly #uidOf: UidOf
  #told: readonly StatusOf[] = []
  /** Made once for each status: what stays is not told again. */
  readonly #judged = new WeakMap<StatusOf, Judged>()

  constructor(tell: (judged: readonly Judged[]) => void, uidOf: UidOf) {
    this.#tell = tell
    this.#uidOf = uidOf
  }

  /** @param statuses sorted by kind, namespace and name; what stayed is the same object */
  tell(statuses: readonly StatusOf[], changed: ChangedPaths): void {
    const isOther = this.#forgetReplaced(statuses, changed)
    if (statuses === this.#told && !isOther) return
    this.#told = statuses
    this.#tell(statuses.map((status) => this.#judgedIn(status)))
  }

  /** An object that was deleted and made again may have the status that it had: then it is another one all the same. */
  #forgetReplaced(statuses: readonly StatusOf[], changed: ChangedPaths): boolean {
    let any = false
    for (const status of changed === undefined ? statuses : statusesAt(statuses, changed)) {
      const known = this.#judged.get(status)
      const uid = known && this.#uidOf(status.kind, pathOf(status))
      // One that is gone and still in the list is not told of again.
      if (known === undefined || uid === undefined || uid === known.uid) continue
      this.#judged.delete(status)
      any = true
    }
    return any
  }

  #judgedIn(status: StatusOf): Judged {
    let judged = this.#judged.get(status)
    if (judged === undefined) {
      const { apiVersion, kind, namespace, name } = status
      judged = { apiVersion, kind, namespace, name, uid: this.#uidOf(kind, pathOf(status)), conditions: conditionsIn(status) }
      this.#judged.set(status, judged)
    }
    return judged
  }
}

function pathOf({ namespace, name }: StatusOf): string {
  return `${namespace}/${name}`
}

function statusesAt(statuses: readonly StatusOf[], changed: NonNullable<ChangedPaths>): readonly StatusOf[] {
  return [...changed].flatMap(([kind, paths]) =>
    [...paths].flatMap((path) => {
      const slash = path.indexOf('/')
      return statusOf(statuses, { kind, namespace: path.slice(0, slash), name: path.slice(slash + 1) }) ?? []
    }),
  )
}

function conditionsIn({ status }: StatusOf): Judged['conditions'] {
  if ('parents' in status) {
    return status.parents.flatMap(({ parentRef: { namespace, name, sectionName }, conditions = [] }) => {
      const about = [namespace, name, sectionName].filter((part) => part !== undefined && part !== '').join('/')
      return conditions.map((condition) => ({ ...condition, about }))
    })
  }
  if ('ancestors' in status)
    return status.ancestors.flatMap(({ ancestorRef, conditions }) =>
      conditions.map((condition) => ({ ...condition, about: ancestorRef.name })),
    )
  const listeners = 'listeners' in status ? status.listeners : []
  return [
    ...status.conditions,
    ...listeners.flatMap(({ name, conditions }) => conditions.map((condition) => ({ ...condition, about: `listener ${name}` }))),
  ]
}
