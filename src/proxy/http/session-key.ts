/** A key of session tokens: it signs, and gives backends and endpoints the names by which tokens know them. */
import { createHmac } from 'node:crypto'
import type { Secret } from '../../lib/secret.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'

export const backendLength = 4
export const endpointLength = 6
export const signatureLength = 16

export class SessionKey {
  readonly #secret: Secret
  readonly #backends = new WeakMap<Pool, string>()
  readonly #endpoints = new WeakMap<Endpoint, string>()

  /** @param secret as much chance as 32 bytes hold, in any text */
  constructor(secret: Secret) {
    this.#secret = secret
  }

  /** A byte string. */
  backend(pool: Pool): string {
    let name = this.#backends.get(pool)
    if (name === undefined) this.#backends.set(pool, (name = this.#hash(pool.config.key, backendLength)))
    return name
  }

  /** One of a backend's endpoints, a byte string. */
  endpoint(pool: Pool, endpoint: Endpoint): string {
    let name = this.#endpoints.get(endpoint)
    if (name === undefined) this.#endpoints.set(endpoint, (name = this.#hash(`${pool.config.key} ${endpoint.name}`, endpointLength)))
    return name
  }

  signature(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#secret.reveal()).update('token ').update(bytes).digest().subarray(0, signatureLength)
  }

  #hash(text: string, length: number): string {
    return createHmac('sha256', this.#secret.reveal()).update(`name ${text}`).digest().toString('latin1', 0, length)
  }
}
