/**
 * Leader election by a Lease (coordination.k8s.io/v1): at most one of several controllers leads at a time.
 *
 * A leader renews the Lease well before it ends, and gives up before anybody else could take it: others count the whole
 * duration from when *they* last saw it renewed, which is later than when the renewal was sent. Clocks of different
 * machines are never compared. On `stop` the Lease is given back, and the next one takes it at its next look.
 * `epoch` is the number of times that the Lease changed hands: a later leader has a greater one.
 */
import type { KubeApi, KubeObject, ObjectName, Resource } from './kube-api.ts'
import { isKubeError, KubeError } from './kube-error.ts'

export interface LeaderElectionOptions {
  /** With a deadline shorter than the Lease. */
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace'>
  readonly lease: ObjectName
  /** Of this process and no other, also after a restart. */
  readonly identity: string
  readonly onLead: (epoch: number) => void
  readonly onFollow: () => void
  /** The API server cannot be asked, or refuses; the election goes on. */
  readonly failing: (error: KubeError) => void
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** The time as the Lease shows it to people, in RFC 3339 with microseconds. */
  readonly timestamp: () => string
  /** Resolves early, without an error, when `signal` aborts. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

const LEASE: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true }
const DURATION_MS = 2_000
const RENEW_MS = 500
/** After the sending of the last renewal that succeeded. */
const GIVE_UP_MS = 1_500

interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #stopping = new AbortController()
  /** The Lease as it was last seen or written, and since when it is known to be so; undefined: to be read. */
  #seen: { readonly object: KubeObject | undefined; readonly since: number } | undefined
  /** The greatest number of transitions that was seen. */
  #transitions = 0
  /** When the renewal was sent that the leadership rests on; undefined for a follower. */
  #renewed: number | undefined
  #epoch = 0
  /** The Lease may have been made by us, and we do not know it yet. */
  #creates = false
  /** Not before. */
  #leadsFrom = 0
  #running: Promise<void> | undefined

  constructor(options: LeaderElectionOptions) {
    this.#options = options
  }

  /** True to the clock, also where no timer could fire in time. */
  get isLeader(): boolean {
    return this.#renewed !== undefined && this.#options.now() - this.#renewed < GIVE_UP_MS
  }

  /** 0 for a follower. */
  get epoch(): number {
    return this.isLeader ? this.#epoch : 0
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Gives the Lease back, so that the next one need not wait for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    if (this.#renewed !== undefined) this.#follow()
    const { identity } = this.#options
    if (this.#seen?.object === undefined || specOf(this.#seen.object).holderIdentity !== identity) return
    await this.#release().catch((error: unknown) => this.#failed(error))
  }

  async #run(): Promise<void> {
    const { now, delay } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const begun = now()
      await this.#attempt(begun)
      if (!signal.aborted) await delay(Math.max(0, RENEW_MS - (now() - begun)), signal)
    }
  }

  /** A leader does not wait for it longer than it may lead. */
  async #attempt(begun: number): Promise<void> {
    const round = this.#round(begun).catch((error: unknown) => this.#failed(error))
    if (this.#renewed === undefined) return await round
    const over = new AbortController()
    await Promise.race([round, this.#options.delay(this.#renewed + GIVE_UP_MS - begun, over.signal)])
    over.abort()
    if (this.#renewed !== undefined && !this.isLeader) this.#follow()
  }

  /** One look, and one write where it is due. */
  async #round(begun: number): Promise<void> {
    const { identity, now } = this.#options
    const isLeading = this.#renewed !== undefined
    const held = isLeading && this.#seen?.object !== undefined ? this.#seen.object : await this.#read()
    if (held === undefined) return await this.#create(begun)
    const { holderIdentity = '', leaseDurationSeconds = 0 } = specOf(held)
    const isOurs = holderIdentity === identity
    // The answer to its creation never came; or somebody was faster.
    if (isOurs && this.#creates) this.#hasCreated()
    this.#creates = false
    if (!isOurs && isLeading) this.#follow()
    const isOver = holderIdentity === '' || now() - (this.#seen?.since ?? now()) >= leaseDurationSeconds * 1000
    if (isOurs) await this.#write(held, transitionsOf(held), begun)
    else if (isOver) await this.#write(held, this.#transitions + 1, begun)
  }

  /**
   * It was never there, or somebody deleted it, and its leader may not have noticed: whoever makes it anew leads only when
   * that one must have given up. One who leads, to the clock, goes on.
   */
  async #create(begun: number): Promise<void> {
    const { now } = this.#options
    const leads = this.isLeader
    // Its leader makes it anew, if there still is one.
    if (!leads && this.#transitions > 0 && now() - (this.#seen?.since ?? now()) < DURATION_MS) return
    this.#creates = !leads
    await this.#write(undefined, leads ? this.#epoch : this.#transitions + 1, begun)
  }

  #hasCreated(): void {
    this.#creates = false
    this.#leadsFrom = this.#options.now() + GIVE_UP_MS
  }

  async #read(): Promise<KubeObject | undefined> {
    const object = await this.#options.api.get(LEASE, this.#options.lease)
    const isKnown = this.#seen !== undefined && object?.metadata.resourceVersion === this.#seen.object?.metadata.resourceVersion
    if (!isKnown) this.#saw(object)
    return object
  }

  #saw(object: KubeObject | undefined): void {
    this.#seen = { object, since: this.#options.now() }
    if (object !== undefined) this.#transitions = Math.max(this.#transitions, transitionsOf(object))
  }

  /** Takes or renews it, as it was seen: whoever was faster makes this a conflict. */
  async #write(held: KubeObject | undefined, leaseTransitions: number, begun: number): Promise<void> {
    const { api, lease, identity, timestamp, now } = this.#options
    const time = timestamp()
    const acquireTime = held === undefined || specOf(held).holderIdentity !== identity ? time : specOf(held).acquireTime
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: DURATION_MS / 1000,
      ...(acquireTime !== undefined && { acquireTime }),
      renewTime: time,
      leaseTransitions,
    }
    const written =
      held === undefined
        ? await api.create(LEASE, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...lease }, spec })
        : await api.replace(LEASE, { ...held, spec })
    this.#saw(written)
    if (this.#creates) this.#hasCreated()
    if (now() < this.#leadsFrom) return
    // An answer that came so late is no ground to lead on; the next look finds the Lease to be ours.
    if (this.#stopping.signal.aborted || now() - begun >= GIVE_UP_MS) return
    const isNew = this.#renewed === undefined
    this.#renewed = Math.max(begun, this.#renewed ?? begun)
    this.#epoch = leaseTransitions
    if (isNew) this.#options.onLead(leaseTransitions)
  }

  #follow(): void {
    this.#renewed = undefined
    this.#options.onFollow()
  }

  async #release(): Promise<void> {
    const { api, lease, identity, timestamp } = this.#options
    const held = await api.get(LEASE, lease)
    if (held === undefined || specOf(held).holderIdentity !== identity) return
    const spec: LeaseSpec = { ...specOf(held), holderIdentity: '', leaseDurationSeconds: 1, renewTime: timestamp() }
    await api.replace(LEASE, { ...held, spec })
  }

  #failed(error: unknown): void {
    if (!(error instanceof KubeError)) throw error
    const isChanged = isKubeError(error, 409) || isKubeError(error, 404)
    // Somebody else wrote it; the next look tells who. A leader whose write failed looks too: it may have been carried out.
    if (isChanged || this.#renewed !== undefined) this.#seen = undefined
    if (!isChanged) this.#options.failing(error)
  }
}

function specOf(object: KubeObject): LeaseSpec {
  const { spec } = object
  return typeof spec === 'object' && spec !== null ? spec : {}
}

function transitionsOf(object: KubeObject): number {
  return specOf(object).leaseTransitions ?? 0
}
