/** All objects of one kind, kept up to date by list and watch. Callers are told that a key changed, and look. */
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from './api-client.ts'
import type { ApiClient } from './api-client.ts'
import { keyOf } from './objects.ts'
import type { KubeObject } from './objects.ts'

interface List<T> {
  readonly metadata: { readonly resourceVersion: string }
  readonly items?: readonly T[]
}

export class Watched<T extends KubeObject> {
  readonly #client: ApiClient
  readonly #path: string
  readonly #onChange: (key: string, object: T | undefined) => void
  readonly #objects = new Map<string, T>()

  /** `path` of the collection over all namespaces, as `/api/v1/pods`. */
  constructor(client: ApiClient, path: string, onChange: (key: string, object: T | undefined) => void) {
    this.#client = client
    this.#path = path
    this.#onChange = onChange
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  all(): IterableIterator<T> {
    return this.#objects.values()
  }

  /** Resolves with the first list; the watch goes on until the process ends. */
  async start(): Promise<void> {
    const version = await this.#list()
    void this.#follow(version)
  }

  async #follow(first: string): Promise<void> {
    let version = first
    for (;;) {
      try {
        version = await this.#watch(version)
      } catch {
        // The API server is away, or the version is too old: whatever was missed is in a new list.
        version = await this.#listWhenPossible()
      }
    }
  }

  /** One watch; returns the version to go on from. */
  async #watch(from: string): Promise<string> {
    let version = from
    const query = `?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=${from}`
    await this.#client.watch<T>(this.#path + query, new AbortController().signal, ({ type, object }) => {
      if (type === 'ERROR') throw new ApiError(`watch ${this.#path}`, 410, JSON.stringify(object))
      version = object.metadata.resourceVersion ?? version
      if (type === 'BOOKMARK') return
      this.#set(keyOf(object), type === 'DELETED' ? undefined : object)
    })
    return version
  }

  async #listWhenPossible(): Promise<string> {
    for (;;) {
      await delay(200)
      try {
        return await this.#list()
      } catch {
        // Tried again.
      }
    }
  }

  async #list(): Promise<string> {
    const list = await this.#client.get<List<T>>(this.#path)
    const items = list.items ?? []
    const keys = new Set(items.map(keyOf))
    for (const key of this.#objects.keys()) if (!keys.has(key)) this.#set(key, undefined)
    for (const item of items) {
      const known = this.#objects.get(keyOf(item))
      if (known?.metadata.resourceVersion !== item.metadata.resourceVersion) this.#set(keyOf(item), item)
    }
    return list.metadata.resourceVersion
  }

  #set(key: string, object: T | undefined): void {
    if (object === undefined) this.#objects.delete(key)
    else this.#objects.set(key, object)
    this.#onChange(key, object)
  }
}
