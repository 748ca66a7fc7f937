/**
 * All objects of one kind, kept equal to the API server's: a list, then a watch from its version, for as long as wanted.
 *
 * - The list is read in pages that belong together; the watch begins where it ends, so that nothing falls between.
 * - A watch that ends goes on from the last version that was heard of: an event's, or a bookmark's where nothing happens.
 * - Where that version is forgotten (410, as an answer or as an event) everything is listed again and compared with what
 *   is held: what was deleted meanwhile is gone, what did not change keeps its value.
 * - A watch that says nothing for longer than two bookmarks are apart has died silently: it is begun again.
 * - Failures are followed by growing pauses by chance; the server's own Retry-After is kept to.
 *
 * Values are what `take` makes of objects; an object is let go as soon as its value is made.
 */
import { type Backoff, pauseAfter } from '../lib/backoff.ts'
import { statusError } from './answer.ts'
import type { ListingApi, Selection, WatchEvent } from './client.ts'
import type { KubeObject, Resource } from './kube-api.ts'
import { KubeError } from './kube-error.ts'
import { trimmed } from './trim.ts'

export interface ListWatchOptions<T> {
  readonly api: ListingApi
  readonly resource: Resource
  readonly selection?: Selection
  /** The value of an object; the previous one when nothing of it changed. */
  readonly take: (object: KubeObject, previous: T | undefined) => T
  /** Values were added, replaced or removed: once for all that comes together. */
  readonly changed: (keys: ReadonlySet<string>) => void
  /** What keeps it from following; undefined when that is over. */
  readonly failing: (error: KubeError | undefined) => void
  /** From 0 up to 1. */
  readonly random: () => number
  /** Resolves early, without an error, when `signal` aborts. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
  /** Milliseconds. */
  readonly now: () => number
  readonly bounds?: Partial<ListWatchBounds>
}

export interface ListWatchBounds {
  /** Milliseconds without any event. The API server sends a bookmark each minute: two may be late or lost on the way. */
  readonly silence: number
  /** A watch is asked to end after so many seconds and up to twice as many, by chance. */
  readonly shortestWatch: number
  readonly backoff: Backoff
}

const BOUNDS: ListWatchBounds = { silence: 150_000, shortestWatch: 300, backoff: { first: 200, longest: 10_000 } }
/** A watch that lasted so many milliseconds was none of the failures that follow on each other. */
const STEADY_MS = 5_000
const GONE = 410
const TOO_MANY = 429
/** Failures in a row that are nothing to speak of. */
const FEW = 3
/** What is no trouble of the network. */
const UNEXPECTED = 'Unexpected'

export class ListWatch<T> {
  readonly #options: ListWatchOptions<T>
  readonly #bounds: ListWatchBounds
  readonly #stopping = new AbortController()
  #items = new Map<string, T>()
  /** Where a watch goes on from; undefined where only a list can. */
  #version: string | undefined
  #isSynced = false
  #isFailing = false
  /** When the server began the watch that runs, or ran last. */
  #begun: number | undefined
  #failures = 0
  #running: Promise<void> | undefined

  constructor(options: ListWatchOptions<T>) {
    this.#options = options
    this.#bounds = { ...BOUNDS, ...options.bounds }
  }

  /** By `namespace/name`. */
  get items(): ReadonlyMap<string, T> {
    return this.#items
  }

  /** A complete list was read. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Resolves after the first complete list, or when it is stopped before that. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#running = this.#run(resolve).finally(resolve)
    })
  }

  /** Nothing is called any more once this is called. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(synced: () => void): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) {
          await this.#list()
          synced()
        } else {
          await this.#watch(this.#version)
          if (!this.#wasSteady()) await this.#pause(undefined)
        }
      } catch (error) {
        if (signal.aborted) return
        await this.#failed(error instanceof KubeError ? error : this.#unexpected(error))
      }
    }
  }

  async #failed(error: KubeError): Promise<void> {
    const { status, reason } = error
    // A version that the server does not know, such as one from before a backup was restored, has more than one answer.
    if (status === GONE || (status > 0 && status !== TOO_MANY && this.#failures >= FEW)) this.#version = undefined
    const isPassing = status === GONE || (status === 0 && reason !== UNEXPECTED && this.#isSynced && this.#failures < FEW)
    if (!isPassing) this.#report(error)
    await this.#pause(error)
  }

  async #list(): Promise<void> {
    const { api, resource, selection = {} } = this.#options
    const items = new Map<string, T>()
    const changed = new Set<string>()
    let from: string | undefined
    let version = ''
    do {
      const page = await api.listPage(resource, selection, from, this.#stopping.signal)
      for (const object of page.items) this.#set(items, object, changed)
      version = page.resourceVersion
      from = page.next
    } while (from !== undefined && !this.#stopping.signal.aborted)
    if (this.#stopping.signal.aborted) return
    // Deletions that no event told of.
    for (const key of this.#items.keys()) if (!items.has(key)) changed.add(key)
    this.#items = items
    this.#version = version
    this.#isSynced = true
    this.#report(undefined)
    if (changed.size > 0) this.#options.changed(changed)
  }

  /** Returns after an ordinary end, throws after any other. What was heard is kept in both cases. */
  async #watch(resourceVersion: string): Promise<void> {
    const { api, resource, selection = {}, now, random } = this.#options
    const { silence, shortestWatch } = this.#bounds
    const ending = new AbortController()
    const end = (): void => ending.abort()
    this.#stopping.signal.addEventListener('abort', end, { once: true })
    const silent = setTimeout(end, silence)
    const timeoutSeconds = Math.round(shortestWatch * (1 + random()))
    this.#begun = undefined
    try {
      for await (const events of api.watch(resource, selection, { resourceVersion, timeoutSeconds }, ending.signal)) {
        if (this.#stopping.signal.aborted) return
        this.#begun ??= now()
        silent.refresh()
        this.#report(undefined)
        this.#apply(events)
      }
    } finally {
      clearTimeout(silent)
      this.#stopping.signal.removeEventListener('abort', end)
      if (this.#wasSteady()) this.#failures = 0
    }
  }

  #wasSteady(): boolean {
    return this.#begun !== undefined && this.#options.now() - this.#begun >= STEADY_MS
  }

  #apply(events: readonly WatchEvent[]): void {
    const changed = new Set<string>()
    try {
      for (const event of events) this.#applyOne(event, changed)
    } finally {
      if (changed.size > 0) this.#options.changed(changed)
    }
  }

  #applyOne({ type, object }: WatchEvent, changed: Set<string>): void {
    if (type === 'ERROR') throw watchError(this.#options.resource, object)
    const told = object as KubeObject
    if (type === 'DELETED') {
      const key = keyOf(told)
      if (this.#items.delete(key)) changed.add(key)
    } else if (type !== 'BOOKMARK') this.#set(this.#items, told, changed)
    this.#version = told.metadata.resourceVersion ?? this.#version
  }

  #set(items: Map<string, T>, object: KubeObject, changed: Set<string>): void {
    const key = keyOf(object)
    const previous = this.#items.get(key)
    const value = this.#take(object, previous)
    if (value !== previous || !this.#items.has(key)) changed.add(key)
    items.set(key, value)
  }

  #take(object: KubeObject, previous: T | undefined): T {
    const { group, version, kind } = this.#options.resource
    // Metadata comes as a kind of its own.
    const apiVersion = group === '' ? version : `${group}/${version}`
    return this.#options.take(trimmed({ ...object, apiVersion, kind }), previous)
  }

  #report(error: KubeError | undefined): void {
    if (error === undefined && !this.#isFailing) return
    this.#isFailing = error !== undefined
    this.#options.failing(error)
  }

  #unexpected(error: unknown): KubeError {
    this.#version = undefined
    const message = `Cannot follow the objects of kind ${this.#options.resource.kind}: ${error instanceof Error ? error.message : String(error)}`
    return new KubeError(message, { status: 0, reason: UNEXPECTED }, { cause: error })
  }

  async #pause(error: KubeError | undefined): Promise<void> {
    const { random, delay } = this.#options
    this.#failures += 1
    // One end of a watch that came soon, or one forgotten version, is no trouble yet.
    if (this.#failures === 1 && error?.retryAfter === undefined && error?.status !== 0) return
    const pause = pauseAfter(this.#failures, this.#bounds.backoff, random)
    await delay(Math.max(pause, error?.retryAfter ?? 0), this.#stopping.signal)
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function watchError(resource: Resource, object: unknown): KubeError {
  const status = typeof object === 'object' && object !== null ? object : {}
  const code = 'code' in status && typeof status.code === 'number' ? status.code : 500
  return statusError(`watch the objects of kind ${resource.kind}`, code, status)
}
