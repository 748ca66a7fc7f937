/** Gateways: one of another controller's class costs neither parsing nor memory for what it means. */
import { isRecord } from '../../api/schema/object.ts'
import type { KubeObject } from '../../kube/kube-api.ts'
import { read, type Reading, type ReadOptions } from './reading.ts'
import { type StoredObject, storedOf } from './stored-object.ts'

/** A Gateway whose reading waits until its class is ours. */
export class GatewayReading {
  readonly stored: StoredObject
  readonly className: string
  readonly #raw: KubeObject
  readonly #options: ReadOptions
  readonly #previous: Reading | undefined
  #reading: Reading | undefined

  constructor(raw: KubeObject, previous: GatewayReading | undefined, options: ReadOptions) {
    this.stored = storedOf(raw)
    this.className = isRecord(raw['spec']) ? String(raw['spec']['gatewayClassName']) : ''
    this.#raw = raw
    this.#options = options
    this.#previous = previous === undefined ? undefined : (previous.#reading ?? previous.#previous)
  }

  /** Somebody has asked for it. */
  get isRead(): boolean {
    return this.#reading !== undefined
  }

  /** Ask only for one that is ours. */
  get reading(): Reading {
    return (this.#reading ??= read(this.#raw, this.#previous, this.#options))
  }
}
