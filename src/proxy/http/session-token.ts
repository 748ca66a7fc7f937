/**
 * What a client carries to come back to its endpoints: when its session began, and for each backend that it has met the
 * endpoint there. A token is signed, and names backends and endpoints by keyed hashes only, so that it tells nothing
 * about addresses and cannot be made up. Every process with the same key reads it, whatever its own state.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { PoolKey } from '../../config/pool.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'

export interface Session {
  /** Milliseconds since the epoch. */
  readonly began: number
  /** The one made last is last. */
  readonly pins: readonly Pin[]
}

/** Byte strings. */
export interface Pin {
  readonly backend: string
  readonly endpoint: string
}

const beganLength = 6
const backendLength = 4
const endpointLength = 6
const pinLength = backendLength + endpointLength
const signatureLength = 16
/** A rule has at most 16 backends (HTTPRouteRule.backendRefs). */
const mostPins = 16
const longestToken = Math.ceil(((beganLength + mostPins * pinLength + signatureLength) * 4) / 3)

export class SessionTokens {
  readonly #key: Uint8Array
  readonly #backends = new WeakMap<Pool, string>()
  readonly #endpoints = new WeakMap<Endpoint, string>()

  /** @param key a secret, the same in every process that shall read the tokens of this one */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** Undefined for what was not made here or with another key. */
  read(token: string): Session | undefined {
    if (token.length > longestToken) return undefined
    const bytes = Buffer.from(token, 'base64url')
    const end = bytes.length - signatureLength
    if (end < beganLength + pinLength || (end - beganLength) % pinLength !== 0) return undefined
    if (!timingSafeEqual(this.#signature(bytes.subarray(0, end)), bytes.subarray(end))) return undefined
    const pins: Pin[] = []
    for (let at = beganLength; at < end; at += pinLength) {
      pins.push({
        backend: bytes.toString('latin1', at, at + backendLength),
        endpoint: bytes.toString('latin1', at + backendLength, at + pinLength),
      })
    }
    return { began: bytes.readUIntBE(0, beganLength), pins }
  }

  /** The oldest pins go where there are too many. */
  write({ began, pins }: Session): string {
    const kept = pins.slice(-mostPins)
    const bytes = Buffer.alloc(beganLength + kept.length * pinLength)
    bytes.writeUIntBE(began, 0, beganLength)
    bytes.write(kept.map(({ backend, endpoint }) => backend + endpoint).join(''), beganLength, 'latin1')
    return Buffer.concat([bytes, this.#signature(bytes)]).toString('base64url')
  }

  /** The name of a backend in a token. */
  backend(pool: Pool): string {
    let name = this.#backends.get(pool)
    if (name === undefined) this.#backends.set(pool, (name = this.#hash(pool.config.key, backendLength)))
    return name
  }

  /** The name of one of a backend's endpoints in a token. */
  endpoint(pool: Pool, endpoint: Endpoint): string {
    let name = this.#endpoints.get(endpoint)
    if (name === undefined) this.#endpoints.set(endpoint, (name = this.#hash(`${pool.config.key} ${endpoint.name}`, endpointLength)))
    return name
  }

  #hash(text: PoolKey, length: number): string {
    return createHmac('sha256', this.#key).update(`name ${text}`).digest().toString('latin1', 0, length)
  }

  #signature(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update('token ').update(bytes).digest().subarray(0, signatureLength)
  }
}
