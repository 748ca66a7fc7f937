/** One open watch of the scripted API server. */
import type { ServerResponse } from 'node:http'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import { statusObject } from './api-problem.ts'
import { type StoreEvent, tableOf } from './api-store.ts'
import type { ServedResource } from './resources.ts'

export class Watcher {
  readonly resource: ServedResource
  isSilent = false
  readonly #response: ServerResponse
  readonly #show: (object: KubeObject) => object | undefined

  /** `show` gives an object as this watch sees it; undefined for one that it does not see. */
  constructor(resource: ServedResource, response: ServerResponse, show: (object: KubeObject) => object | undefined) {
    this.resource = resource
    this.#response = response
    this.#show = show
  }

  event({ type, resource, object }: StoreEvent): void {
    if (tableOf(resource) !== tableOf(this.resource)) return
    const shown = this.#show(object)
    if (shown !== undefined) this.#line({ type, object: shown })
  }

  bookmark(version: number): void {
    const { kind } = this.resource
    this.#line({ type: 'BOOKMARK', object: { kind, apiVersion: 'v1', metadata: { resourceVersion: String(version) } } })
  }

  end(): void {
    this.#response.end()
  }

  reset(): void {
    this.#response.socket?.resetAndDestroy()
  }

  halfLine(): void {
    this.#response.write('{"type":"MODIFIED","object":{"apiVersion":"v1","metadata":{"name":"ha', () => this.#response.destroy())
  }

  expire(): void {
    this.#line({ type: 'ERROR', object: statusObject({ status: 410, reason: 'Expired', message: 'too old resource version' }) })
    this.end()
  }

  #line(event: object): void {
    if (!this.isSilent && !this.#response.writableEnded) this.#response.write(`${JSON.stringify(event)}\n`)
  }
}
