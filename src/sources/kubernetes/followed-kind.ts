/**
 * One kind, followed in the version that is served: begun when the kind is there, ended when it goes, and handed over
 * without a gap when another version of it is served.
 */
import type { ListingApi, Selection } from '../../kube/client.ts'
import type { KubeObject, Resource } from '../../kube/kube-api.ts'
import type { KubeError } from '../../kube/kube-error.ts'
import { ListWatch } from '../../kube/list-watch.ts'

export interface FollowedKindOptions<T> {
  readonly group: string
  readonly kind: string
  /** Those that can be read, the best one first. */
  readonly versions: readonly string[]
  readonly selection?: Selection
  readonly take: (object: KubeObject, previous: T | undefined) => T
  readonly changed: (keys: ReadonlySet<string>) => void
}

/** What all kinds have in common. */
export interface Following {
  readonly api: ListingApi
  readonly random: () => number
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly now: () => number
}

export class FollowedKind<T> {
  readonly group: string
  readonly kind: string
  readonly #options: FollowedKindOptions<T>
  readonly #following: Following
  readonly #settled: () => void
  #resource: Resource | undefined
  #problem: KubeError | undefined
  #current: ListWatch<T> | undefined
  /** In another version, not complete yet. */
  #next: ListWatch<T> | undefined

  /** `settled`: `problem` or `isSynced` is another one. */
  constructor(options: FollowedKindOptions<T>, following: Following, settled: () => void) {
    this.group = options.group
    this.kind = options.kind
    this.#options = options
    this.#following = following
    this.#settled = settled
  }

  get items(): ReadonlyMap<string, T> {
    return this.#current?.items ?? new Map()
  }

  /** What keeps it from being followed. */
  get problem(): KubeError | undefined {
    return this.#problem
  }

  /** Everything of it is known, as far as there is anything. */
  get isSynced(): boolean {
    return this.#resource === undefined || this.#current?.isSynced === true
  }

  /** undefined: not served. */
  get resource(): Resource | undefined {
    return this.#resource
  }

  /** Follows what is served now. */
  follow(served: readonly Resource[]): void {
    const { group, kind, versions } = this.#options
    const found = versions
      .map((version) => served.find((one) => one.group === group && one.kind === kind && one.version === version))
      .find((one) => one !== undefined)
    const before = this.#resource
    if (found?.version === before?.version && found?.plural === before?.plural) return
    this.#resource = found
    this.#problem = undefined
    void this.#next?.stop()
    this.#next = undefined
    if (found === undefined) this.#end()
    else this.#begin(found)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#current?.stop(), this.#next?.stop()])
  }

  #end(): void {
    const { items } = this
    void this.#current?.stop()
    this.#current = undefined
    if (items.size > 0) this.#options.changed(new Set(items.keys()))
    this.#settled()
  }

  #begin(resource: Resource): void {
    const { take, changed, selection = {} } = this.#options
    const before = this.#current
    const begun: ListWatch<T> = new ListWatch<T>({
      ...this.#following,
      resource,
      selection,
      take: (object, previous) => take(object, previous ?? before?.items.get(`${object.metadata.namespace ?? ''}/${object.metadata.name}`)),
      changed: (keys) => {
        if (this.#current === begun) changed(keys)
      },
      failing: (error) => {
        this.#problem = error
        this.#settled()
      },
    })
    if (before === undefined) this.#current = begun
    else this.#next = begun
    void begun.start().then(() => {
      if (this.#next === begun) {
        this.#next = undefined
        this.#current = begun
        void before?.stop()
        changed(new Set([...(before?.items.keys() ?? []), ...begun.items.keys()]))
      }
      this.#settled()
    })
  }
}
