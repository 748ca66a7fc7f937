/**
 * The kinds that are served, followed: CustomResourceDefinitions are watched as metadata, and each change of one of
 * ours is a reason to discover again, until what is served is what is defined. Knows the bundle version of the
 * definitions too, which they carry as an annotation.
 */
import { type Backoff, pauseAfter } from '../lib/backoff.ts'
import type { ListingApi } from './client.ts'
import { discover, type DocumentApi } from './discovery.ts'
import type { Resource } from './kube-api.ts'
import { KubeError } from './kube-error.ts'
import { ListWatch } from './list-watch.ts'

export interface ServedKindsOptions {
  readonly api: ListingApi & DocumentApi
  /** Whose kinds matter. */
  readonly groups: readonly string[]
  /** Those among them whose kinds are all made by CustomResourceDefinitions. */
  readonly definedGroups: readonly string[]
  /** `resources` or `bundle` is another one. */
  readonly changed: () => void
  readonly failing: (error: KubeError | undefined) => void
  readonly random: () => number
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly now: () => number
}

const DEFINITIONS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
}
const BUNDLE = 'gateway.networking.k8s.io/bundle-version'
const BACKOFF: Backoff = { first: 100, longest: 5_000 }
/** A version that was added to a definition may be served a moment after the definition says so. */
const ONCE_MORE_MS = 3_000
/** So long a start waits for kinds that are defined and not served. */
const LONGEST_START_MS = 30_000
/** Where definitions cannot be watched. */
const POLL_MS = 60_000

/** Where they can: in case something was missed. */
const SWEEP_MS = 600_000

interface Definition {
  readonly bundle: string | undefined
}

const FOREIGN: Definition = { bundle: undefined }

export class ServedKinds {
  readonly #options: ServedKindsOptions
  readonly #groups: ReadonlySet<string>
  readonly #definitions: ListWatch<Definition>
  #resources: readonly Resource[] = []
  #bundle: string | undefined
  #canWatch = true
  #started = 0
  #hasBegun = false
  #isDue = true
  readonly #stopping = new AbortController()
  #sleep = new AbortController()
  #running: Promise<void> | undefined
  #definitionsAreKnown: () => void = () => {}

  constructor(options: ServedKindsOptions) {
    this.#options = options
    this.#groups = new Set(options.groups)
    this.#definitions = new ListWatch<Definition>({
      ...options,
      resource: DEFINITIONS,
      selection: { metadataOnly: true },
      take: ({ metadata }) => (this.#isOurs(metadata.name) ? { bundle: metadata.annotations?.[BUNDLE] } : FOREIGN),
      changed: (keys) => {
        if ([...keys].some((key) => this.#isOurs(key))) this.#wake()
      },
      failing: (error) => {
        this.#canWatch = error === undefined
        options.failing(error)
        if (error !== undefined) this.#definitionsAreKnown()
      },
    })
  }

  /** Every version of every kind of the groups. The same array as long as nothing changed. */
  get resources(): readonly Resource[] {
    return this.#resources
  }

  /** Of the installed definitions, `v1.7.0`; several that differ are joined by commas, undefined where none says. */
  get bundle(): string | undefined {
    return this.#bundle
  }

  /** Resolves after the first discovery, with the definitions known or known to be out of reach. */
  async start(): Promise<void> {
    const known = new Promise<void>((resolve) => {
      this.#definitionsAreKnown = resolve
      void this.#definitions.start().then(resolve)
    })
    await known
    this.#started = this.#options.now()
    await new Promise<void>((resolve) => {
      this.#running = this.#follow(resolve).finally(resolve)
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#sleep.abort()
    await Promise.all([this.#running, this.#definitions.stop()])
  }

  #wake(): void {
    this.#isDue = true
    this.#sleep.abort()
  }

  async #follow(first: () => void): Promise<void> {
    let failures = 0
    let isSure = false
    while (!this.#stopping.signal.aborted) {
      if (this.#isDue) {
        this.#isDue = false
        isSure = false
        failures = 0
      }
      const isSettled = await this.#look(first)
      if (isSettled) await this.#pause(isSure ? (this.#canWatch ? SWEEP_MS : POLL_MS) : ONCE_MORE_MS)
      else await this.#pause(pauseAfter((failures += 1), BACKOFF, this.#options.random))
      isSure = isSettled
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    this.#sleep = new AbortController()
    if (!this.#isDue && !this.#stopping.signal.aborted) await this.#options.delay(milliseconds, this.#sleep.signal)
  }

  /** False while what is served is not what is defined, or cannot be known. */
  async #look(first: () => void): Promise<boolean> {
    const { api, failing } = this.#options
    try {
      const found = await discover(api, this.#groups, this.#stopping.signal)
      if (this.#stopping.signal.aborted) return true
      const isSettled = this.#isAsDefined(found)
      // A server that has just started serves what is defined a moment later: nobody begins with half of it.
      if (!isSettled && !this.#hasBegun && this.#options.now() - this.#started < LONGEST_START_MS) return false
      this.#hasBegun = true
      this.#accept(found)
      first()
      return isSettled
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      if (!this.#stopping.signal.aborted) failing(error)
      return false
    }
  }

  #accept(found: readonly Resource[]): void {
    const bundles = [...this.#definitions.items.values()].flatMap(({ bundle }) => (bundle === undefined ? [] : [bundle]))
    const bundle = bundles.length === 0 ? undefined : [...new Set(bundles)].sort().join(', ')
    const resources = [...found, ...this.#missed(found)]
    const isSame = isSameSet(resources, this.#resources)
    if (isSame && bundle === this.#bundle) return
    if (!isSame) this.#resources = resources
    this.#bundle = bundle
    this.#options.changed()
  }

  /**
   * Kinds that were served and are not found, although nobody took them away: a server that restarts does not serve all
   * of them at once, and none of their objects is gone. Where definitions cannot be seen, nobody can tell: the kind stays.
   */
  #missed(found: readonly Resource[]): readonly Resource[] {
    const there = new Set(found.map(nameOf))
    return this.#resources.filter((resource) => {
      if (there.has(nameOf(resource))) return false
      if (!this.#options.definedGroups.includes(resource.group)) return true
      return !this.#definitions.isSynced || this.#definitions.items.has(`/${nameOf(resource)}`)
    })
  }

  #isAsDefined(found: readonly Resource[]): boolean {
    if (!this.#definitions.isSynced) return true
    const { definedGroups } = this.#options
    const served = new Set(found.filter(({ group }) => definedGroups.includes(group)).map(nameOf))
    const defined = [...this.#definitions.items.keys()].map((key) => key.slice(1)).filter((name) => this.#isOurs(name))
    return defined.length === served.size && defined.every((name) => served.has(name))
  }

  /** `plural.group`, or the key of a definition. */
  #isOurs(name: string): boolean {
    return this.#options.definedGroups.includes(name.slice(name.indexOf('.') + 1))
  }
}

/** As a definition is called. */
function nameOf({ plural, group }: Resource): string {
  return `${plural}.${group}`
}

function isSameSet(a: readonly Resource[], b: readonly Resource[]): boolean {
  const texts = new Set(a.map((resource) => JSON.stringify(resource)))
  return a.length === b.length && b.every((resource) => texts.has(JSON.stringify(resource)))
}
