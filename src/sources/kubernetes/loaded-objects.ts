/**
 * Secrets and ConfigMaps: of all of them the metadata alone is watched, and only those that are wanted are read.
 *
 * One that exists and was not read stands in the snapshot as `unloaded`, so that a reference to it is pending and not
 * missing. One that was read is read again when its metadata changes; until that is done, and where it fails, the last
 * good version stays. What is not wanted any more is forgotten.
 */
import type { ConfigMap, KubeSecret } from '../../api/core.ts'
import type { KubeApi, KubeMetadata, KubeObject, ObjectName, Resource } from '../../kube/kube-api.ts'
import { KubeError } from '../../kube/kube-error.ts'
import { trimmed } from '../../kube/trim.ts'
import { type Backoff, pauseAfter } from '../../lib/backoff.ts'
import type { LocatedFinding } from '../source.ts'
import { read, type Reading } from './reading.ts'

export type LoadedKind = 'Secret' | 'ConfigMap'

export interface LoadedObjectsOptions {
  readonly api: Pick<KubeApi, 'get'>
  /** Something that is wanted is another one, or gone, or could not be read. */
  readonly changed: () => void
  readonly random: () => number
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** What the watch tells of one of them. */
export interface KnownObject {
  readonly resourceVersion: string
  readonly placeholder: KubeSecret | ConfigMap
}

interface Load {
  readonly reading: Reading | undefined
  /** The version that was known when it was asked for. */
  readonly asked: string
  readonly problem: KubeError | undefined
  readonly failures: number
}

/** What the watch of a kind holds. */
interface Followed {
  readonly resource: Resource | undefined
  /** By `namespace/name`. */
  readonly items: ReadonlyMap<string, KnownObject>
}

const BACKOFF: Backoff = { first: 1_000, longest: 60_000 }

export class LoadedObjects {
  readonly #options: LoadedObjectsOptions
  readonly #stopping = new AbortController()
  readonly #kinds = new Map<LoadedKind, Followed>()
  /** By `Kind/namespace/name`, as everywhere below. */
  #wanted: ReadonlySet<string> = new Set()
  readonly #loads = new Map<string, Load>()
  readonly #loading = new Map<string, Promise<void>>()

  constructor(options: LoadedObjectsOptions) {
    this.#options = options
  }

  /** Call it before anything else, once for each kind. */
  follow(kind: LoadedKind, followed: Followed): void {
    this.#kinds.set(kind, followed)
  }

  /** Resolves when everything wanted that exists was read, or could not be. What is not among `keys` is forgotten. */
  async want(keys: readonly string[]): Promise<void> {
    this.#wanted = new Set(keys)
    for (const key of this.#loads.keys()) if (!this.#wanted.has(key)) this.#loads.delete(key)
    await Promise.all(keys.map(async (key) => await this.#load(key, false)))
  }

  /** Tells of changes that the watch saw. */
  changed(kind: LoadedKind, names: ReadonlySet<string>): void {
    const known = this.#kinds.get(kind)?.items
    for (const name of names) {
      const key = `${kind}/${name}`
      if (!this.#wanted.has(key)) continue
      if (known?.has(name) === true) void this.#load(key, true)
      else {
        this.#loads.delete(key)
        this.#options.changed()
      }
    }
  }

  /** What a kind has in the snapshot. */
  objects(kind: LoadedKind): readonly (KubeSecret | ConfigMap)[] {
    const objects: (KubeSecret | ConfigMap)[] = []
    for (const [name, { placeholder }] of this.#kinds.get(kind)?.items ?? []) {
      const object = this.#loads.get(`${kind}/${name}`)?.reading?.object
      objects.push(object?.kind === 'Secret' || object?.kind === 'ConfigMap' ? object : placeholder)
    }
    return objects
  }

  findings(): readonly LocatedFinding[] {
    return [...this.#loads].flatMap(([key, { reading, problem }]) => [
      ...(reading?.findings ?? []),
      ...(problem === undefined ? [] : [unreadable(key, problem, reading?.object !== undefined)]),
    ])
  }

  stop(): void {
    this.#stopping.abort()
  }

  async #load(key: string, isNews: boolean): Promise<void> {
    const running = this.#loading.get(key)
    if (running !== undefined) return await running
    if (!this.#isDue(key)) {
      if (isNews) this.#options.changed()
      return
    }
    const loading = this.#loadUntilKnown(key).finally(() => this.#loading.delete(key))
    this.#loading.set(key, loading)
    await loading
  }

  #isDue(key: string): boolean {
    const known = this.#known(key)
    const load = this.#loads.get(key)
    const isStopped = this.#stopping.signal.aborted
    if (isStopped || known === undefined || !this.#wanted.has(key)) return false
    // What was read may be newer than what the watch has told of.
    return load?.asked !== known.resourceVersion && load?.reading?.stored.resourceVersion !== known.resourceVersion
  }

  /** Again, when it changed while it was read. */
  async #loadUntilKnown(key: string): Promise<void> {
    while (this.#isDue(key)) {
      const asked = this.#known(key)?.resourceVersion ?? ''
      const before = this.#loads.get(key)
      const load = await this.#read(key, asked, before)
      if (!this.#wanted.has(key) || this.#stopping.signal.aborted) return
      this.#loads.set(key, load)
      if (load.problem !== undefined) void this.#tryAgain(key, load)
      this.#options.changed()
    }
  }

  async #read(key: string, asked: string, before: Load | undefined): Promise<Load> {
    const { resource, name } = this.#place(key)
    try {
      const found = resource === undefined ? undefined : await this.#options.api.get(resource, name)
      // Gone meanwhile: the watch will tell.
      if (found === undefined) return { reading: before?.reading, asked, problem: undefined, failures: 0 }
      const reading = read(trimmed(withoutAnnotations(found)), before?.reading, { hasGeneration: false, warns: false })
      return { reading, asked, problem: undefined, failures: 0 }
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      return { reading: before?.reading, asked, problem: error, failures: (before?.failures ?? 0) + 1 }
    }
  }

  async #tryAgain(key: string, load: Load): Promise<void> {
    const { random, delay } = this.#options
    await delay(Math.max(pauseAfter(load.failures, BACKOFF, random), load.problem?.retryAfter ?? 0), this.#stopping.signal)
    if (this.#loads.get(key) !== load) return
    this.#loads.set(key, { ...load, asked: '' })
    await this.#load(key, false)
  }

  #known(key: string): KnownObject | undefined {
    const { kind, name } = this.#place(key)
    return this.#kinds.get(kind)?.items.get(`${name.namespace}/${name.name}`)
  }

  #place(key: string): { readonly kind: LoadedKind; readonly resource: Resource | undefined; readonly name: ObjectName } {
    const [kind = '', namespace = '', name = ''] = key.split('/')
    return { kind: kind as LoadedKind, resource: this.#kinds.get(kind as LoadedKind)?.resource, name: { namespace, name } }
  }
}

/** One that exists and was not read. */
export function knownObject(kind: LoadedKind, { name, namespace = '', resourceVersion = '' }: KubeMetadata): KnownObject {
  const metadata = { name, namespace, generation: 1, labels: NOTHING, annotations: NOTHING }
  const common = { apiVersion: 'v1', metadata, data: NOTHING, unloaded: true } as const
  const placeholder = kind === 'Secret' ? { ...common, kind, type: '' } : { ...common, kind }
  return { resourceVersion, placeholder }
}

const NOTHING: Readonly<Record<string, string>> = {}

/** What tools write there changes often and is read by nobody. */
function withoutAnnotations(object: KubeObject): KubeObject {
  const { annotations: _, labels: _labels, ...metadata } = object.metadata
  return { ...object, metadata }
}

function unreadable(key: string, { message, status }: KubeError, isKept: boolean): LocatedFinding {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  return {
    code: 'object-not-readable',
    severity: 'error',
    object: { kind, namespace, name },
    message: isKept ? `${message}; its last version stays in use` : message,
    ...(status === 403 && { fix: { text: `Allow the controller to get ${kind}s of namespace ${namespace}.` } }),
  }
}
