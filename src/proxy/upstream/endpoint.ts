/** One address of a pool: its load, its recent failures, and the connections that wait for work. */
import type { EndpointConfig } from '../../config/pool.ts'
import type { UpstreamConnection } from './connection.ts'

/** A failure weighs as much as this many requests, and half of it after each half-life. */
const failureWeight = 10
const failureHalfLife = 5_000

export class Endpoint {
  config: EndpointConfig
  readonly name: string
  /** Requests under way. */
  active = 0
  /** Open connections, connecting and idle ones included. */
  connections = 0
  /** Idle connections, the one used last on top. */
  readonly idle: UpstreamConnection[] = []
  /** True after the configuration dropped it: what is under way ends, nothing is reused. */
  retired = false
  #failures = 0
  #failedAt = 0

  constructor(config: EndpointConfig) {
    this.config = config
    this.name = nameOf(config)
  }

  /** @param now milliseconds on the sweep's clock */
  fail(now: number): void {
    this.#failures = this.#decayed(now) + 1
    this.#failedAt = now
  }

  load(now: number): number {
    return this.#failures === 0 ? this.active : this.active + failureWeight * this.#decayed(now)
  }

  #decayed(now: number): number {
    return this.#failures * 2 ** ((this.#failedAt - now) / failureHalfLife)
  }
}

/** `address:port`, IPv6 in brackets: unique in a pool, and what the access log shows. */
export function nameOf(config: EndpointConfig): string {
  return config.address.includes(':') ? `[${config.address}]:${config.port}` : `${config.address}:${config.port}`
}
