/**
 * The API server over HTTP: single objects (`KubeApi`, for writers), pages of lists and streams of events (for
 * `ListWatch`), and the documents that say what is served. Requests that may safely go again do, after a pause;
 * lists and watches are tried once, because `ListWatch` knows better when.
 */
import { type Answer, errorOf } from './answer.ts'
import type { Credentials } from './credentials.ts'
import type { KubeApi, KubeObject, ObjectName, Resource } from './kube-api.ts'
import { KubeError } from './kube-error.ts'
import { linesOf } from './lines.ts'
import { collectionPath, inWords, objectPath } from './paths.ts'
import { pauseBefore } from './retry.ts'
import { type Outgoing, Transport } from './transport.ts'

export interface ClientOptions {
  readonly credentials: Credentials
  /** `gatewright/1.2.3`. */
  readonly userAgent: string
  /** Milliseconds for one attempt; 15,000 unless given. */
  readonly deadline?: number
  /** False where the caller knows itself when to try again; true unless given. */
  readonly retries?: boolean
  /** From 0 up to 1. */
  readonly random: () => number
  readonly delay: (milliseconds: number, signal?: AbortSignal) => Promise<void>
}

/** Which objects of a kind, and how much of them. */
export interface Selection {
  readonly labels?: string
  readonly fields?: string
  /** Only apiVersion, kind and metadata leave the server. */
  readonly metadataOnly?: boolean
}

export interface ListPage {
  readonly items: readonly KubeObject[]
  readonly resourceVersion: string
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined
}

export interface WatchEvent {
  readonly type: string
  readonly object: unknown
}

/** Lists and watches, as `ListWatch` needs them. */
export interface ListingApi {
  listPage(resource: Resource, selection: Selection, from: string | undefined, signal: AbortSignal): Promise<ListPage>
  /** Events after a version, in the batches in which they come; an empty one when the server has begun. Ends when the server ends it; `signal` ends it at once. */
  watch(resource: Resource, selection: Selection, from: WatchFrom, signal: AbortSignal): AsyncIterable<readonly WatchEvent[]>
}

export interface WatchFrom {
  readonly resourceVersion: string
  readonly timeoutSeconds: number
}

/** The name under which our fields are owned. */
const FIELD_MANAGER = 'gatewright'
const PAGE_SIZE = 500
const DEADLINE_MS = 15_000
const JSON_TYPE = 'application/json'
const METADATA = 'g=meta.k8s.io;v=v1'

export class KubeClient implements KubeApi, ListingApi {
  readonly #options: ClientOptions
  readonly #transport: Transport

  constructor(options: ClientOptions) {
    this.#options = options
    const { credentials, userAgent, deadline = DEADLINE_MS } = options
    this.#transport = new Transport({ credentials, userAgent, deadline })
  }

  async get(resource: Resource, name: ObjectName): Promise<KubeObject | undefined> {
    const answer = await this.#send(
      { doing: `read ${inWords(resource, name)}`, method: 'GET', path: objectPath(resource, name), accept: JSON_TYPE },
      true,
      [404],
    )
    return answer.status === 404 ? undefined : objectOf(answer)
  }

  async create(resource: Resource, object: KubeObject): Promise<KubeObject> {
    const name = nameOf(object)
    const path = `${collectionPath(resource, name.namespace)}?fieldManager=${FIELD_MANAGER}`
    return objectOf(await this.#send(withBody(`create ${inWords(resource, name)}`, 'POST', path, object), false))
  }

  async replace(resource: Resource, object: KubeObject): Promise<KubeObject> {
    const name = nameOf(object)
    const path = `${objectPath(resource, name)}?fieldManager=${FIELD_MANAGER}`
    return objectOf(await this.#send(withBody(`replace ${inWords(resource, name)}`, 'PUT', path, object), true))
  }

  async apply(resource: Resource, object: KubeObject, manager?: string): Promise<KubeObject> {
    const name = nameOf(object)
    const path = `${objectPath(resource, name)}?fieldManager=${manager ?? `${FIELD_MANAGER}&force=true`}`
    const doing = `apply ${inWords(resource, name)}`
    return objectOf(await this.#send(withBody(doing, 'PATCH', path, object, 'application/apply-patch+yaml'), true))
  }

  async patch(resource: Resource, name: ObjectName, patch: object, subresource?: 'status'): Promise<KubeObject> {
    const path = `${objectPath(resource, name, subresource)}?fieldManager=${FIELD_MANAGER}`
    const doing = `write ${subresource === undefined ? '' : 'the status of '}${inWords(resource, name)}`
    return objectOf(await this.#send(withBody(doing, 'PATCH', path, patch, 'application/merge-patch+json'), true))
  }

  async delete(
    resource: Resource,
    name: ObjectName,
    preconditions: { readonly uid?: string; readonly resourceVersion?: string } = {},
  ): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions }
    await this.#send(withBody(`delete ${inWords(resource, name)}`, 'DELETE', objectPath(resource, name), body), true, [404])
  }

  async listPage(resource: Resource, selection: Selection, from: string | undefined, signal: AbortSignal): Promise<ListPage> {
    const query = queryOf(selection, { limit: String(PAGE_SIZE), ...(from !== undefined && { continue: from }) })
    const accept = selection.metadataOnly === true ? `${JSON_TYPE};as=PartialObjectMetadataList;${METADATA}` : JSON_TYPE
    const doing = `list the objects of kind ${resource.kind}`
    const answer = await this.#transport.send({ doing, method: 'GET', path: `${collectionPath(resource, '')}?${query}`, accept }, signal)
    if (answer.status !== 200) throw errorOf(doing, answer)
    const { metadata, items } = JSON.parse(answer.text) as {
      readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
      readonly items: readonly Omit<KubeObject, 'apiVersion' | 'kind'>[] | null
    }
    const type = typeOf(resource)
    return {
      // Lists of built-in kinds leave out of their items what the list says already.
      items: (items ?? []).map((item) => ({ ...item, ...type }) as KubeObject),
      resourceVersion: metadata.resourceVersion,
      next: metadata.continue === undefined || metadata.continue === '' ? undefined : metadata.continue,
    }
  }

  async *watch(
    resource: Resource,
    selection: Selection,
    { resourceVersion, timeoutSeconds }: WatchFrom,
    signal: AbortSignal,
  ): AsyncGenerator<readonly WatchEvent[]> {
    const times = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds: String(timeoutSeconds) }
    const path = `${collectionPath(resource, '')}?${queryOf(selection, times)}`
    const accept = selection.metadataOnly === true ? `${JSON_TYPE};as=PartialObjectMetadata;${METADATA}` : JSON_TYPE
    const doing = `watch the objects of kind ${resource.kind}`
    const bytes = await this.#transport.stream({ doing, method: 'GET', path, accept }, signal)
    yield []
    try {
      for await (const lines of linesOf(bytes)) yield lines.map((line) => JSON.parse(line) as WatchEvent)
    } catch (error) {
      throw new KubeError(`Cannot ${doing}: the connection was lost`, { status: 0, reason: 'ConnectionLost' }, { cause: error })
    }
  }

  /** A document that is no object, such as those of discovery; undefined where there is none. */
  async document(path: string, accept: string = JSON_TYPE, signal?: AbortSignal): Promise<unknown> {
    const answer = await this.#send({ doing: `read ${path}`, method: 'GET', path, accept }, true, [404, 406], signal)
    return answer.status === 200 ? (JSON.parse(answer.text) as unknown) : undefined
  }

  async close(): Promise<void> {
    await this.#transport.close()
  }

  /** `expected`: statuses beside those of success that are no error. */
  async #send(request: Outgoing, isSafe: boolean, expected: readonly number[] = [], signal?: AbortSignal): Promise<Answer> {
    for (let failures = 1; ; failures += 1) {
      const result = await this.#attempt(request, expected, signal)
      if (!(result instanceof KubeError)) return result
      if (this.#options.retries === false) throw result
      const pause = pauseBefore(result, failures, isSafe, this.#options.random)
      if (pause === undefined || signal?.aborted === true) throw result
      await this.#options.delay(pause, signal)
    }
  }

  async #attempt(request: Outgoing, expected: readonly number[], signal: AbortSignal | undefined): Promise<Answer | KubeError> {
    try {
      const answer = await this.#transport.send(request, signal)
      const isGood = (answer.status >= 200 && answer.status < 300) || expected.includes(answer.status)
      return isGood ? answer : errorOf(request.doing, answer)
    } catch (error) {
      if (error instanceof KubeError) return error
      throw error
    }
  }
}

function withBody(doing: string, method: Outgoing['method'], path: string, body: object, contentType = JSON_TYPE): Outgoing {
  return { doing, method, path, accept: JSON_TYPE, contentType, body: JSON.stringify(body) }
}

function objectOf({ text }: Answer): KubeObject {
  return JSON.parse(text) as KubeObject
}

function nameOf({ metadata }: KubeObject): ObjectName {
  return { namespace: metadata.namespace ?? '', name: metadata.name }
}

function typeOf({ group, version, kind }: Resource): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind }
}

function queryOf({ labels, fields }: Selection, more: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(more)
  if (labels !== undefined) query.set('labelSelector', labels)
  if (fields !== undefined) query.set('fieldSelector', fields)
  return query.toString()
}
