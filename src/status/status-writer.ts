/**
 * status: writes what differs into the status of objects, and nothing else.
 *
 * Level-driven: `write` says how everything shall be, the writer compares with what stands there and brings each object
 * there, however often somebody else changes it. A change is written at once; further ones of the same object follow
 * after a pause, together. A conflict is read again. It decides nothing and knows no rule of the API but who may write what.
 */
import { isKubeError, KubeError } from '../kube/kube-error.ts'
import { changedSpan } from '../lib/list-change.ts'
import type { KubeApi, Resource } from '../kube/kube-api.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'
import { hasEntryOf, mergeStatus, sameStatus } from './merge-status.ts'
import type { StoredObject, StoredObjects, WantedStatus } from './stored-object.ts'

export interface StatusWriterOptions {
  readonly api: KubeApi
  readonly stored: StoredObjects
  /** Undefined: the cluster does not serve the kind. */
  readonly resourceOf: (kind: string) => Resource | undefined
  readonly controllerName: string
  readonly logger: Logger
  readonly now: () => Date
  /** Milliseconds between two writes of one object. */
  readonly pause?: number
}

const defaultPause = 100
/** Requests at a time. */
const abreast = 16
/** In a row, each read again at once. */
const mostConflicts = 5
const firstRetry = 200
const longestRetry = 10_000
/** Kinds whose statuses have entries of several controllers. */
const sharedKinds: readonly string[] = [
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'UDPRoute',
  'BackendTLSPolicy',
  'XBackend',
  'XBackendTrafficPolicy',
  'XTelemetryPolicy',
]

interface Item {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** `namespace/name` */
  readonly path: string
  /** Undefined: nothing of ours shall stand there. */
  wanted: object | undefined
  /** What `wanted` was compared with last, and what it was. */
  compared: { readonly wanted: object | undefined; readonly resourceVersion: string } | undefined
  state: 'still' | 'queued' | 'under way' | 'pausing'
  /** Of our last write: what the watch shows until it has come as far is older. */
  written: StoredObject | undefined
  failures: number
}

export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #items = new Map<string, Item>()
  /** The last list, and the item of each of its elements: mostly they stand where they stood. */
  #last: { readonly statuses: readonly WantedStatus[]; readonly items: readonly Item[] } = { statuses: [], items: [] }
  /** Those that no list has any more, until what is left of us there is gone. */
  readonly #leaving = new Set<Item>()
  /** Those that one waits for while many others change (Gateways), and those many (routes). */
  readonly #queues: { readonly few: Item[]; readonly many: Item[] } = { few: [], many: [] }
  readonly #timers = new Set<NodeJS.Timeout>()
  #busy = 0
  #stopped = false
  #cleared = false
  readonly #counts = { written: 0, conflicts: 0, failures: 0 }

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  /** How every status of ours shall be from now on. Call it again also when what is stored has changed. */
  write(statuses: readonly WantedStatus[]): void {
    const changes = this.#options.stored.changes()
    const last = this.#last
    if (statuses === last.statuses && changes !== undefined) {
      for (const [kind, paths] of changes) this.#lookAt(kind, paths)
      return
    }
    const { begin, beforeEnd, afterEnd } = changedSpan(last.statuses, statuses)
    const came = statuses.slice(begin, afterEnd)
    const fresh = came.map(({ kind, namespace, name }) => this.#item(kind, namespace, name))
    const items = last.items.slice(0, begin).concat(fresh, last.items.slice(beforeEnd))
    this.#last = { statuses, items }
    if (!this.#cleared) this.#adoptStale()
    for (const item of last.items.slice(begin, beforeEnd)) this.#leaving.add(item)
    for (const [i, item] of fresh.entries()) {
      this.#leaving.delete(item)
      item.wanted = came[i]?.status
    }
    for (const item of changes === undefined ? items : fresh) this.#look(item)
    for (const [kind, paths] of changes ?? []) this.#lookAt(kind, paths)
    for (const item of this.#leaving) this.#letGo(item)
  }

  #letGo(item: Item): void {
    item.wanted = undefined
    this.#look(item)
    if (item.state !== 'still') return
    this.#leaving.delete(item)
    this.#items.delete(keyOf(item.kind, item.namespace, item.name))
  }

  #lookAt(kind: string, paths: ReadonlySet<string>): void {
    for (const path of paths) {
      const item = this.#items.get(`${kind}/${path}`)
      if (item !== undefined) this.#look(item)
    }
  }

  /** Resolves when nothing waits and nothing is under way. */
  async settled(): Promise<void> {
    while (!this.#stopped && [...this.#items.values()].some(({ state }) => state !== 'still')) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5)
      })
    }
  }

  stop(): void {
    this.#stopped = true
    this.#queues.few.length = 0
    this.#queues.many.length = 0
    for (const timer of this.#timers) clearTimeout(timer)
  }

  metrics(): readonly MetricFamily[] {
    const labels = { written: 'written', conflicts: 'conflict', failures: 'failed' } as const
    return [
      {
        kind: 'counter',
        name: 'gatewright_status_writes_total',
        help: 'Attempts to write the status of an object, by outcome.',
        labels: ['outcome'],
        samples: () =>
          Object.entries(labels).map(([name, outcome]) => ({ labels: { outcome }, value: this.#counts[name as keyof typeof labels] })),
      },
      {
        kind: 'gauge',
        name: 'gatewright_status_queue',
        help: 'Objects whose status waits to be written.',
        labels: [],
        samples: () => [{ labels: {}, value: [...this.#items.values()].filter(({ state }) => state !== 'still').length }],
      },
    ]
  }

  /** Entries that an earlier process left behind. */
  #adoptStale(): void {
    this.#cleared = true
    const { stored, controllerName } = this.#options
    for (const kind of sharedKinds) {
      for (const { namespace, name, stored: one } of stored.all(kind))
        if (hasEntryOf(one.status, controllerName)) this.#leaving.add(this.#item(kind, namespace, name))
    }
  }

  #item(kind: string, namespace: string, name: string): Item {
    const key = keyOf(kind, namespace, name)
    const known = this.#items.get(key)
    if (known !== undefined) return known
    const item: Item = {
      kind,
      namespace,
      name,
      path: `${namespace}/${name}`,
      wanted: undefined,
      compared: undefined,
      state: 'still',
      written: undefined,
      failures: 0,
    }
    this.#items.set(key, item)
    return item
  }

  #look(item: Item): void {
    if (item.state !== 'still' || this.#stopped) return
    const stored = this.#storedOf(item)
    if (stored === undefined) return
    const { compared } = item
    if (compared !== undefined && compared.wanted === item.wanted && compared.resourceVersion === stored.resourceVersion) return
    if (this.#changeOf(item, stored) === undefined) return
    item.state = 'queued'
    this.#queues[sharedKinds.includes(item.kind) ? 'many' : 'few'].push(item)
    this.#work()
  }

  /** What is stored, or what we have just written where the watch has not shown it yet. */
  #storedOf({ kind, path, written }: Item): StoredObject | undefined {
    const stored = this.#options.stored.at(kind, path)
    if (stored === undefined || written === undefined) return stored
    return Number(stored.resourceVersion) < Number(written.resourceVersion) ? { ...written, generation: stored.generation } : stored
  }

  /** The status to be written; undefined when there is nothing to write. */
  #changeOf(item: Item, stored: StoredObject): object | undefined {
    const { controllerName, now } = this.#options
    item.compared = { wanted: item.wanted, resourceVersion: stored.resourceVersion }
    const wanted = item.wanted ?? emptied(stored.status)
    if (wanted === undefined) return undefined
    const next = mergeStatus(
      item.kind,
      stored.status,
      wanted as Readonly<Record<string, unknown>>,
      controllerName,
      now().toISOString().replace(/\.\d+/, ''),
    )
    return next === undefined || sameStatus(next, stored.status ?? {}) ? undefined : next
  }

  #work(): void {
    while (this.#busy < abreast) {
      const item = this.#queues.few.shift() ?? this.#queues.many.shift()
      if (item === undefined) return
      this.#busy += 1
      item.state = 'under way'
      void this.#write(item).then((wait) => {
        this.#busy -= 1
        this.#rest(item, wait)
        this.#work()
      })
    }
  }

  #rest(item: Item, wait: number): void {
    if (this.#stopped) return
    item.state = 'pausing'
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      item.state = 'still'
      this.#look(item)
    }, wait)
    this.#timers.add(timer)
  }

  /** Resolves to the milliseconds after which the object may be looked at again. */
  async #write(item: Item): Promise<number> {
    const { api, resourceOf, logger, pause = defaultPause } = this.#options
    const { kind, namespace, name } = item
    const resource = resourceOf(kind)
    let stored = this.#storedOf(item)
    try {
      for (let conflicts = 0; conflicts < mostConflicts; conflicts += 1) {
        const status = resource === undefined || stored === undefined ? undefined : this.#changeOf(item, stored)
        if (resource === undefined || stored === undefined || status === undefined) return pause
        // Another one may be wanted by the time that this one is written.
        const { wanted } = item
        try {
          const patch = { metadata: { resourceVersion: stored.resourceVersion }, status }
          item.written = storedIn(await api.patch(resource, { namespace, name }, patch, 'status'))
          item.compared = { wanted, resourceVersion: item.written.resourceVersion }
          item.failures = 0
          this.#counts.written += 1
          return pause
        } catch (error) {
          if (!isKubeError(error, 409)) throw error
          this.#counts.conflicts += 1
          const found = await api.get(resource, { namespace, name })
          stored = found === undefined ? undefined : storedIn(found)
        }
      }
      // Somebody writes all the time: after the pause the watch knows more.
      item.compared = undefined
      return pause
    } catch (error) {
      item.compared = undefined
      if (isKubeError(error, 404)) return pause
      this.#counts.failures += 1
      const wait = Math.min(longestRetry, firstRetry * 2 ** item.failures)
      item.failures += 1
      logger.warn('a status could not be written and is tried again', { kind, namespace, name, reason: (error as Error).message })
      return (error instanceof KubeError ? error.retryAfter : undefined) ?? wait
    }
  }
}

/** What is left of a shared status when nothing of ours shall stand there; undefined for statuses that are ours alone: these stay as they are. */
function emptied(status: StoredObject['status']): object | undefined {
  if (Array.isArray(status?.['parents'])) return { parents: [] }
  return Array.isArray(status?.['ancestors']) ? { ancestors: [] } : undefined
}

function storedIn(object: {
  readonly metadata: { readonly resourceVersion?: string; readonly generation?: number }
  readonly [field: string]: unknown
}): StoredObject {
  return {
    resourceVersion: object.metadata.resourceVersion ?? '',
    generation: object.metadata.generation ?? 0,
    status: object['status'] as StoredObject['status'],
  }
}

function keyOf(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`
}
