/**
 * What a client carries to come back to its endpoints: when its session began, and for each backend that it has met the
 * endpoint there. A token is signed, and names backends and endpoints by keyed hashes only, so that it tells nothing
 * about addresses and cannot be made up. Every process with the same keys reads it, whatever its own state.
 *
 * There may be several keys: the first one signs, all are believed. So a key is replaced in three steps that lose no
 * session: the new one is added behind, then moved to the front, and the old one goes when its tokens have.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Secret } from '../../lib/secret.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import { backendLength, endpointLength, SessionKey, signatureLength } from './session-key.ts'

export interface Session {
  /** Milliseconds since the epoch. */
  readonly began: number
  /** The one made last is last. */
  readonly pins: readonly Pin[]
}

/** A session that a client brought. */
export interface GivenSession extends Session {
  /** Signed the token, and named what it holds. */
  readonly key: SessionKey
}

/** Byte strings. */
export interface Pin {
  readonly backend: string
  readonly endpoint: string
}

const beganLength = 6
const pinLength = backendLength + endpointLength
/** A rule has at most 16 backends (HTTPRouteRule.backendRefs). */
const mostPins = 16
const longestToken = Math.ceil(((beganLength + mostPins * pinLength + signatureLength) * 4) / 3)

export class SessionTokens {
  /** Signs. */
  readonly current: SessionKey
  readonly #keys: readonly SessionKey[]

  /** @param secrets the same in every process that shall read the tokens of this one; at least one */
  constructor(secrets: readonly Secret[]) {
    this.#keys = secrets.map((secret) => new SessionKey(secret))
    const [current] = this.#keys
    if (current === undefined) throw new Error('Cannot sign tokens of sessions: there must be a key, got none')
    this.current = current
  }

  /** Undefined for what was made with none of the keys. */
  read(token: string): GivenSession | undefined {
    if (token.length > longestToken) return undefined
    const bytes = Buffer.from(token, 'base64url')
    const end = bytes.length - signatureLength
    if (end < beganLength + pinLength || (end - beganLength) % pinLength !== 0) return undefined
    const key = this.#keys.find((one) => timingSafeEqual(one.signature(bytes.subarray(0, end)), bytes.subarray(end)))
    if (key === undefined) return undefined
    const pins: Pin[] = []
    for (let at = beganLength; at < end; at += pinLength) {
      pins.push({
        backend: bytes.toString('latin1', at, at + backendLength),
        endpoint: bytes.toString('latin1', at + backendLength, at + pinLength),
      })
    }
    return { key, began: bytes.readUIntBE(0, beganLength), pins }
  }

  /** Names are those of the current key. The oldest pins go where there are too many. */
  write({ began, pins }: Session): string {
    const kept = pins.slice(-mostPins)
    const bytes = Buffer.alloc(beganLength + kept.length * pinLength)
    bytes.writeUIntBE(began, 0, beganLength)
    bytes.write(kept.map(({ backend, endpoint }) => backend + endpoint).join(''), beganLength, 'latin1')
    return Buffer.concat([bytes, this.current.signature(bytes)]).toString('base64url')
  }

  /** Its pins by the names of the current key; those of what is there no more are left out. */
  renamed({ key, pins }: GivenSession, pools: Iterable<Pool>): readonly Pin[] {
    if (key === this.current) return pins
    const all = [...pools]
    return pins.flatMap((pin) => {
      const pool = all.find((one) => key.backend(one) === pin.backend)
      if (pool === undefined) return []
      const endpoint = [...pool.endpoints].find((one) => key.endpoint(pool, one) === pin.endpoint)
      return endpoint === undefined ? [] : [this.pin(pool, endpoint)]
    })
  }

  pin(pool: Pool, endpoint: Endpoint): Pin {
    return { backend: this.current.backend(pool), endpoint: this.current.endpoint(pool, endpoint) }
  }
}
