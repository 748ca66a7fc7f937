/** One address of a pool: its load, its health, and the connections that wait for work. */
import type { EndpointConfig } from '../../config/pool.ts'
import { hostPort } from '../../lib/host-port.ts'
import type { UpstreamConnection } from './connection.ts'
import type { UpstreamFailure } from './failure.ts'
import type { UpstreamSession } from './h2-session.ts'
import { advance, type Health, type HealthEvent, type HealthPolicy, healthy } from './health.ts'

/** A failure weighs as much as this many requests, and half of it after each half-life. */
const failureWeight = 10
const failureHalfLife = 5_000

/** Least share of its requests that an endpoint gets while it starts. */
const leastShare = 0.1

/** What an endpoint needs to know of its pool. */
export interface EndpointOwner {
  readonly policy: HealthPolicy
  /** Numbers in [0, 1). */
  readonly random: () => number
  /** Its health is of another kind than `before`, or its ejection begins anew. */
  healthChanged(endpoint: Endpoint, before: Health): void
}

export class Endpoint {
  config: EndpointConfig
  readonly name: string
  /** Requests under way. */
  active = 0
  /** Open connections, connecting and idle ones included. */
  connections = 0
  /** Idle connections, the one used last on top. */
  readonly idle: UpstreamConnection[] = []
  /** HTTP/2 connections that take requests, connecting ones included. */
  readonly sessions: UpstreamSession[] = []
  /** Requests at a time on each of them, as the endpoint said last (SETTINGS_MAX_CONCURRENT_STREAMS). */
  streamLimit = Number.POSITIVE_INFINITY
  /** True after the configuration dropped it: what is under way ends, nothing is reused. */
  retired = false
  health: Health = healthy
  /** What the system or TLS said of the last connection that failed; '' if none did. */
  problem = ''
  /** When its pool gave it the request of its trial; -Infinity: that is still to come. */
  triedAt: number = Number.NEGATIVE_INFINITY
  /** When it began to take requests, or did so again; -Infinity for one that was there from the beginning. */
  startedAt: number
  readonly #owner: EndpointOwner
  /** Requests that were answered or failed. */
  #outcomes = 0
  #failures = 0
  #failedAt = 0

  /** @param startedAt milliseconds on the sweep's clock */
  constructor(config: EndpointConfig, startedAt: number, owner: EndpointOwner) {
    this.config = config
    this.name = nameOf(config)
    this.startedAt = startedAt
    this.#owner = owner
  }

  /** An answer has begun. @param now milliseconds on the sweep's clock */
  answered(now: number): void {
    this.#outcomes += 1
    const { health } = this
    if (health.kind === 'available' && health.row === 0) return
    this.#advance({ kind: 'answered' }, now)
  }

  /** A request failed here, for a reason that may be the endpoint's. */
  failed(failure: UpstreamFailure, now: number): void {
    this.#outcomes += 1
    this.#failures = this.#decayed(now) + 1
    this.#failedAt = now
    this.#advance({ kind: 'failed', failure, outcomes: this.#outcomes }, now)
  }

  /** A connection of the gateway's own stood, or did not. */
  probed(stands: boolean, now: number): void {
    this.#advance({ kind: 'probed', stands }, now)
  }

  load(now: number): number {
    return this.#failures === 0 ? this.active : this.active + Math.round(failureWeight * this.#decayed(now))
  }

  /** Slow start: the part of its usual requests that it gets, from 0.1 to 1. @param slowStart milliseconds, 0: none */
  share(now: number, slowStart: number): number {
    const age = now - this.startedAt
    return age >= slowStart ? 1 : Math.max(leastShare, age / slowStart)
  }

  #advance(event: HealthEvent, now: number): void {
    const before = this.health
    const after = advance(before, event, now, this.#owner.policy, this.#owner.random())
    this.health = after
    if (after === before || (after.kind === 'available' && before.kind === 'available')) return
    if (after.kind === 'available') {
      this.startedAt = now
      this.#failures = 0
    }
    this.#owner.healthChanged(this, before)
  }

  #decayed(now: number): number {
    return this.#failures * 2 ** ((this.#failedAt - now) / failureHalfLife)
  }
}

/** `address:port`, IPv6 in brackets: unique in a pool, and what the access log shows. */
export function nameOf(config: EndpointConfig): string {
  return hostPort(config.address, config.port)
}
