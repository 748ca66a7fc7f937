/**
 * The API server as a source of objects.
 *
 * Every kind that is served is followed, in the best version that we read; kinds that come later are picked up. Objects
 * are parsed once and keep their identity until their meaning changes. Of Secrets and ConfigMaps only what is wanted is
 * read. Beside what every source gives, writers learn here what the API server has stored.
 */
import type { ApiObject, Kind } from '../../api/object.ts'
import { EXPERIMENTAL_GROUP } from '../../api/x-backend.ts'
import type { KindDefinition } from '../../api/kinds/definition.ts'
import { KINDS } from '../../api/kinds/kinds.ts'
import type { ListingApi } from '../../kube/client.ts'
import type { DocumentApi } from '../../kube/discovery.ts'
import type { KubeApi, KubeObject, Resource } from '../../kube/kube-api.ts'
import type { KubeError } from '../../kube/kube-error.ts'
import { ServedKinds } from '../../kube/served-kinds.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { LocatedFinding, Source, SourceRead } from '../source.ts'
import { FollowedKind, type FollowedKindOptions } from './followed-kind.ts'
import { GatewayReading } from './gateway-reading.ts'
import { knownObject, type KnownObject, type LoadedKind, LoadedObjects } from './loaded-objects.ts'
import { OWNED_KINDS, OWNED_VERSIONS, type OwnedObjects } from './owned-kinds.ts'
import { read, type Reading, type ReadOptions } from './reading.ts'
import { type StoredObject, type StoredObjects, storedOf } from './stored-object.ts'

export interface KubernetesSourceOptions {
  readonly api: Pick<KubeApi, 'get'> & ListingApi & DocumentApi
  /** Gateways of classes with another controller are passed over; without it none is. */
  readonly controllerName?: string
  /** A label selector: what carries these labels is ours, and is followed whole. Without it nothing is. */
  readonly owned?: string
  readonly logger: Logger
  /** From 0 up to 1. */
  readonly random: () => number
  /** Resolves early, without an error, when `signal` aborts. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
  /** Milliseconds. */
  readonly now: () => number
  /** For commands that look once: what cannot be had is a finding, and no server at all an error, instead of something to wait for. */
  readonly failFast?: boolean
}

/** Groups whose kinds come by CustomResourceDefinitions. */
const DEFINED_GROUPS: readonly string[] = ['gateway.networking.k8s.io', EXPERIMENTAL_GROUP, 'gatewright.dev']
const LOADED_KINDS: readonly LoadedKind[] = ['Secret', 'ConfigMap']

type AnyKind = Pick<FollowedKind<unknown>, 'group' | 'kind' | 'follow' | 'stop' | 'isSynced' | 'problem' | 'resource' | 'items'>

export class KubernetesSource implements Source {
  /** What is followed, as the API server has it. */
  readonly stored: StoredObjects = {
    get: (kind, namespace, name) => this.#storedOne(kind, `${namespace}/${name}`),
    at: (kind, path) => this.#storedOne(kind, path),
    changes: () => this.#takeChanges(),
    all: (kind) => this.#storedAll(kind),
  }
  /** What carries our labels, whole. */
  readonly owned: OwnedObjects = {
    get: ({ kind }, namespace, name) => this.#owned.get(kind)?.items.get(`${namespace}/${name}`),
    all: () => this.#ownedAll(),
  }
  readonly #options: KubernetesSourceOptions
  readonly #served: ServedKinds
  readonly #loaded: LoadedObjects
  readonly #objects: ReadonlyMap<Kind, FollowedKind<Reading>>
  readonly #gateways: FollowedKind<GatewayReading>
  readonly #known: ReadonlyMap<LoadedKind, FollowedKind<KnownObject>>
  readonly #owned: ReadonlyMap<string, FollowedKind<KubeObject>>
  readonly #all: readonly AnyKind[]
  readonly #reported = new Map<string, string>()
  /** Undefined until somebody asks for them. */
  #changes: Map<string, Set<string>> | undefined
  #lookAgain: () => void = () => {}
  #waiting: (() => void)[] = []
  #discoveryProblem: KubeError | undefined
  #read: SourceRead = { objects: [], findings: [] }
  #isDirty = true
  #isStopped = false

  constructor(options: KubernetesSourceOptions) {
    this.#options = options
    const { api, owned, random, delay, now } = options
    const changed = (kind: string) => (paths: ReadonlySet<string>) => {
      this.#noteChanges(kind, paths)
      this.#lookAgain()
    }
    const changedIn = (kind: Kind, followed: () => Pick<AnyKind, 'items'> | undefined) => {
      let before: AnyKind['items'] | undefined
      return (paths: ReadonlySet<string>) => {
        const items = followed()?.items
        // Of what came or means something else now `take` has told; not of what went, or all of it at once.
        this.#isDirty ||= items === undefined || items !== before || [...paths].some((path) => !items.has(path))
        before = items
        changed(kind)(paths)
      }
    }
    this.#loaded = new LoadedObjects({ api, random, delay, changed: () => this.#changed() })
    this.#objects = new Map(
      KINDS.filter(({ kind }) => kind !== 'Gateway' && !isLoaded(kind)).map((definition) => {
        const how = howToRead(definition.group)
        const take = (raw: KubeObject, previous: Reading | undefined): Reading => {
          const now = read(raw, previous, how)
          this.#isDirty ||= !meansTheSame(previous, now)
          return now
        }
        const { kind } = definition
        return [kind, this.#kind<Reading>({ ...named(definition), take, changed: changedIn(kind, () => this.#objects.get(kind)) })]
      }),
    )
    this.#gateways = this.#kind<GatewayReading>({
      ...named(definitionOf('Gateway')),
      take: (raw, previous) => {
        const now = new GatewayReading(raw, previous, howToRead(definitionOf('Gateway').group))
        this.#isDirty ||= previous === undefined || previous.className !== now.className
        // What was read is ours.
        if (previous?.isRead === true) this.#isDirty ||= !meansTheSame(previous.reading, now.reading)
        return now
      },
      changed: changedIn('Gateway', () => this.#gateways),
    })
    this.#known = new Map(LOADED_KINDS.map((kind) => [kind, this.#knownKind(kind)]))
    this.#owned = new Map(
      (owned === undefined ? [] : OWNED_KINDS).map(({ group, kind }) => {
        const selection = { labels: owned ?? '' }
        return [
          kind,
          this.#kind<KubeObject>({ group, kind, versions: OWNED_VERSIONS, selection, take: (raw) => raw, changed: changed(kind) }),
        ]
      }),
    )
    this.#all = [...this.#objects.values(), this.#gateways, ...this.#known.values(), ...this.#owned.values()]
    this.#served = new ServedKinds({
      api,
      groups: [...new Set(this.#all.map(({ group }) => group))],
      definedGroups: DEFINED_GROUPS,
      changed: () => this.#follow(),
      failing: (error) => {
        this.#discoveryProblem = error
        this.#settled()
      },
      random,
      delay,
      now,
    })
  }

  /** With `failFast` a KubeError when the server cannot be asked. */
  async start(lookAgain: () => void): Promise<void> {
    const discovered = this.#served.start()
    await Promise.race([discovered, this.#until(() => this.#options.failFast === true && this.#discoveryProblem !== undefined)])
    if (this.#options.failFast === true && this.#served.resources.length === 0 && this.#discoveryProblem !== undefined) {
      throw this.#discoveryProblem
    }
    await discovered
    await this.#until(() => this.isComplete)
    this.#lookAgain = lookAgain
  }

  read(): SourceRead {
    if (!this.#isDirty) return this.#read
    this.#isDirty = false
    const { objects, findings } = this.#read
    const next = { objects: keepList(objects, this.#allObjects()), findings: keepList(findings, this.#allFindings()) }
    if (next.objects !== objects || next.findings !== findings) this.#read = next
    return this.#read
  }

  async stop(): Promise<void> {
    this.#lookAgain = () => {}
    this.#isStopped = true
    this.#wake()
    this.#loaded.stop()
    await Promise.all([this.#served.stop(), ...this.#all.map(async (one) => await one.stop())])
  }

  /**
   * Reads these Secrets and ConfigMaps (`Kind/namespace/name`), and forgets all others. Resolves when all of them that
   * exist were read, or could not be: then nothing that `keys` name is pending for want of reading, and a translation
   * made now serves all that one made before would have left out.
   */
  async want(keys: readonly string[]): Promise<void> {
    await this.#loaded.want(keys)
  }

  /** In the version that is followed; undefined for a kind that is not served. */
  resource(kind: string): Resource | undefined {
    return this.#all.find((one) => one.kind === kind)?.resource
  }

  /** The version of the installed definitions (their annotation); undefined where none says. */
  get bundleVersion(): string | undefined {
    return this.#served.bundle
  }

  /** Everything that is served is known. */
  get isComplete(): boolean {
    return this.#all.every(({ isSynced, problem }) => isSynced || (this.#options.failFast === true && problem !== undefined))
  }

  #kind<T>(options: FollowedKindOptions<T>): FollowedKind<T> {
    const { api, random, delay, now } = this.#options
    return new FollowedKind<T>(options, { api, random, delay, now }, () => this.#settled())
  }

  #knownKind(kind: LoadedKind): FollowedKind<KnownObject> {
    const followed: FollowedKind<KnownObject> = this.#kind<KnownObject>({
      ...named(definitionOf(kind)),
      selection: { metadataOnly: true },
      take: ({ metadata }) => knownObject(kind, metadata),
      changed: (names) => {
        // What nobody wants is no reason to look again.
        this.#isDirty = true
        this.#loaded.changed(kind, names)
      },
    })
    this.#loaded.follow(kind, followed)
    return followed
  }

  #follow(): void {
    for (const one of this.#all) one.follow(this.#served.resources)
    this.#settled()
  }

  #changed(): void {
    this.#isDirty = true
    this.#lookAgain()
  }

  /** Something became complete, or fails, or does not fail any more. */
  #settled(): void {
    const { logger } = this.#options
    let isNews = false
    for (const { kind, problem } of [{ kind: 'CustomResourceDefinition', problem: this.#discoveryProblem }, ...this.#all]) {
      const message = problem?.message ?? ''
      if ((this.#reported.get(kind) ?? '') === message) continue
      this.#reported.set(kind, message)
      isNews = true
      if (message === '') logger.info(`follows the objects of kind ${kind} again`)
      else logger.warn(message)
    }
    this.#wake()
    if (isNews) this.#changed()
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #noteChanges(kind: string, paths: ReadonlySet<string>): void {
    const changes = this.#changes
    if (changes === undefined) return
    let known = changes.get(kind)
    if (known === undefined) changes.set(kind, (known = new Set()))
    for (const path of paths) known.add(path)
  }

  #takeChanges(): ReadonlyMap<string, ReadonlySet<string>> | undefined {
    const changes = this.#changes
    this.#changes = new Map()
    return changes
  }

  #storedOne(kind: string, key: string): StoredObject | undefined {
    if (kind === 'Gateway') return this.#gateways.items.get(key)?.stored
    const read = this.#objects.get(kind as Kind)?.items.get(key)?.stored
    const owned = read === undefined ? this.#owned.get(kind)?.items.get(key) : undefined
    return owned === undefined ? read : storedOf(owned)
  }

  *#storedAll(kind: string): Generator<{ readonly namespace: string; readonly name: string; readonly stored: StoredObject }> {
    const followed = kind === 'Gateway' ? this.#gateways : (this.#objects.get(kind as Kind) ?? this.#owned.get(kind))
    for (const key of followed?.items.keys() ?? []) {
      const stored = this.#storedOne(kind, key)
      if (stored !== undefined) yield { namespace: stored.metadata.namespace ?? '', name: stored.metadata.name, stored }
    }
  }

  #ownedAll(): ReturnType<OwnedObjects['all']> {
    return [...this.#owned.values()].flatMap(({ resource, items }) =>
      resource === undefined ? [] : [...items.values()].map((object) => ({ resource, object })),
    )
  }

  #allObjects(): readonly ApiObject[] {
    const objects: ApiObject[] = []
    for (const { items } of this.#objects.values()) {
      for (const { object } of items.values()) if (object !== undefined) objects.push(object)
    }
    for (const { object } of this.#ourGateways()) if (object !== undefined) objects.push(object)
    for (const kind of LOADED_KINDS) objects.push(...this.#loaded.objects(kind))
    return objects
  }

  #allFindings(): readonly LocatedFinding[] {
    const problems = [this.#discoveryProblem, ...this.#all.map(({ problem }) => problem)]
    const findings = problems.flatMap((problem) => (problem === undefined ? [] : [problemFinding(problem)]))
    // Nearly all have none.
    for (const { items } of this.#objects.values()) {
      for (const reading of items.values()) if (reading.findings.length > 0) findings.push(...reading.findings)
    }
    for (const reading of this.#ourGateways()) findings.push(...reading.findings)
    findings.push(...this.#loaded.findings())
    return findings
  }

  /** Those of classes of ours: the others are not even parsed. */
  #ourGateways(): readonly Reading[] {
    const { controllerName } = this.#options
    const classes = this.#objects.get('GatewayClass')?.items
    const isOurs = (className: string): boolean => {
      const object = classes?.get(`/${className}`)?.object
      return controllerName === undefined || (object?.kind === 'GatewayClass' && object.spec.controllerName === controllerName)
    }
    return [...this.#gateways.items.values()].flatMap((gateway) => (isOurs(gateway.className) ? [gateway.reading] : []))
  }
}

/** All that `read` gives of it is as it was. */
function meansTheSame(before: Reading | undefined, now: Reading): boolean {
  return before !== undefined && before.object === now.object && before.findings === now.findings
}

function isLoaded(kind: Kind): kind is LoadedKind {
  return kind === 'Secret' || kind === 'ConfigMap'
}

function definitionOf(kind: Kind): KindDefinition {
  const found = KINDS.find((definition) => definition.kind === kind)
  if (found === undefined) throw new Error(`Cannot follow ${kind}: it must be a kind that parse reads`)
  return found
}

/** The version that others are converted to comes first, those that only old clusters serve last. */
function named({ group, kind, served, retired }: KindDefinition): Pick<FollowedKindOptions<never>, 'group' | 'kind' | 'versions'> {
  return { group, kind, versions: [...served.keys(), ...(retired?.keys() ?? [])] }
}

function howToRead(group: string): ReadOptions {
  const isDefined = DEFINED_GROUPS.includes(group)
  return { hasGeneration: isDefined, warns: isDefined }
}

function problemFinding({ message, status }: KubeError): LocatedFinding {
  return {
    code: 'api-server',
    severity: 'error',
    message,
    ...(status === 403 && { fix: { text: 'Allow it to list and watch them, as the ClusterRole of deploy/ does.' } }),
  }
}

/** The list of before when it holds the same. */
function keepList<T>(before: readonly T[], now: readonly T[]): readonly T[] {
  return before.length === now.length && now.every((one, index) => one === before[index]) ? before : now
}
