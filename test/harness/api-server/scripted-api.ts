/**
 * A small API server in memory, over HTTP, for tests of everything that speaks to one. It behaves until it is told to
 * misbehave.
 *
 *     const api = await ScriptedApi.start()
 *     api.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } })   // as somebody else does it
 *     api.fail({ verb: 'list' }, { status: 429, retryAfter: 1 }, 2)                                // the next two lists
 *     api.conflicts(5)                                                                              // the next five writes
 *     api.watchesEnd('half-line')                                                                   // every open watch
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import { ApiProblem, notFound, statusObject } from './api-problem.ts'
import { ApiStore, type StoreEvent, tableOf } from './api-store.ts'
import { aggregated, groupList, resourceList } from './discovery-documents.ts'
import { type ApiRequest, parseRequest } from './api-request.ts'
import { type ServedResource, STANDARD } from './resources.ts'
import { Watcher } from './watcher.ts'

export type Verb = ApiRequest['verb']

/** Every field that is given must be the request's. */
export interface RequestMatch {
  readonly verb?: Verb
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
}

export type Fault =
  /** `retryAfter` in seconds. */
  | { readonly status: number; readonly reason?: string; readonly message?: string; readonly retryAfter?: number }
  /** The connection ends before an answer, and before the request was carried out. */
  | 'drop'
  /** The connection ends after the request was carried out, and before the answer. */
  | 'drop-answer'
  /** No answer ever comes. */
  | 'hang'
  /** Milliseconds before the request is looked at. */
  | { readonly delay: number }

/** How the open watches end: properly, by a reset, in the middle of a line, or with the error event of forgotten versions. */
export type WatchEnding = 'end' | 'reset' | 'half-line' | 'expired'

export class ScriptedApi {
  readonly store = new ApiStore()
  /** Everything that was asked, in order. */
  readonly requests: ApiRequest[] = []
  /** `status` of a request whose bearer token is another one is 401. */
  token: string | undefined
  /** Large answers are compressed for clients that take it, as API servers do; `large` counts bytes. */
  large = 128 * 1024
  /** Without it, the discovery of before Kubernetes 1.30. */
  aggregatedDiscovery = true
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #watchers = new Set<Watcher>()
  readonly #continued = new Map<string, { readonly rest: readonly KubeObject[]; readonly version: number }>()
  #resources: readonly ServedResource[]
  #faults: { readonly match: RequestMatch; readonly fault: Fault; times: number }[] = []
  readonly #hidden: ServedResource[] = []
  #held: StoreEvent[] | undefined

  private constructor(resources: readonly ServedResource[]) {
    this.#resources = resources.filter(({ custom }) => !custom)
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.store.onEvent = (event) => {
      if (this.#held === undefined) for (const watcher of this.#watchers) watcher.event(event)
      else this.#held.push(event)
    }
    for (const resource of resources) if (resource.custom) this.install(resource)
  }

  static async start(resources: readonly ServedResource[] = STANDARD): Promise<ScriptedApi> {
    const api = new ScriptedApi(resources)
    await api.listen(0)
    return api
  }

  /** Again on the same port after `down`. */
  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(port, '127.0.0.1', resolve)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Of a kind that is served, in the first version that has it. */
  resource(kind: string, group?: string): ServedResource {
    const found = this.#resources.find((resource) => resource.kind === kind && (group === undefined || resource.group === group))
    if (found === undefined) throw new Error(`Cannot use ${kind}: the scripted server must serve it`)
    return found
  }

  /** Serves a kind from now on; one with a CustomResourceDefinition gets it. */
  install(resource: ServedResource, bundle = 'v1.7.0'): void {
    this.#resources = [...this.#resources, resource]
    if (!resource.custom) return
    const definition = this.resource('CustomResourceDefinition')
    const name = `${resource.plural}.${resource.group}`
    const before = this.store.find(definition, '', name)
    if (before !== undefined) this.store.update(definition, before, { ...before, spec: { versions: Math.random() } })
    else {
      const annotations = { 'gateway.networking.k8s.io/bundle-version': bundle }
      this.store.create(definition, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name, annotations },
      })
    }
  }

  /** As after a restart: what is defined is not served yet. Until `show`. */
  hide(kind: string): void {
    const hidden = this.resource(kind)
    this.#hidden.push(hidden)
    this.#resources = this.#resources.filter((resource) => resource !== hidden)
    for (const watcher of this.#watchers) if (tableOf(watcher.resource) === tableOf(hidden)) watcher.end()
  }

  show(): void {
    this.#resources = [...this.#resources, ...this.#hidden.splice(0)]
  }

  /** The kind, its objects and its definition are gone. */
  uninstall(kind: string): void {
    const gone = this.resource(kind)
    this.#resources = this.#resources.filter((resource) => resource !== gone)
    this.store.forget(gone)
    for (const watcher of this.#watchers) if (tableOf(watcher.resource) === tableOf(gone)) watcher.end()
    const definition = this.resource('CustomResourceDefinition')
    const found = this.store.find(definition, '', `${gone.plural}.${gone.group}`)
    if (found !== undefined) this.store.delete(definition, found)
  }

  /** Creates or replaces, as somebody else; a status that is given replaces the old one. */
  put(object: KubeObject): KubeObject {
    const resource = this.#ofObject(object)
    const { name, namespace = '' } = object.metadata
    const { resourceVersion: _, ...metadata } = object.metadata
    const old = this.store.find(resource, namespace, name)
    if (old === undefined) return this.store.create(resource, { ...object, metadata })
    const written = this.store.update(resource, old, { ...object, metadata })
    return object['status'] === undefined ? written : this.store.update(resource, written, { ...object, metadata }, 'status')
  }

  /** A merge patch, as somebody else. */
  edit(kind: string, namespace: string, name: string, patch: object, part: 'object' | 'status' = 'object'): KubeObject {
    const resource = this.resource(kind)
    return this.store.patch(resource, this.store.existing(resource, namespace, name), patch, part)
  }

  remove(kind: string, namespace: string, name: string): void {
    const resource = this.resource(kind)
    this.store.delete(resource, this.store.existing(resource, namespace, name))
  }

  get(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.store.find(this.resource(kind), namespace, name)
  }

  /** Requests with these verbs and kinds, in order. */
  asked(match: RequestMatch): readonly ApiRequest[] {
    return this.requests.filter((request) => matches(match, request))
  }

  /** The next `times` requests that match meet the fault. */
  fail(match: RequestMatch, fault: Fault, times = 1): void {
    this.#faults.push({ match, fault, times })
  }

  /** No request meets a fault any more. */
  heal(): void {
    this.#faults = []
    for (const watcher of this.#watchers) watcher.isSilent = false
  }

  /** Somebody else is always faster: the next `times` writes find another version of their object. */
  conflicts(times: number): void {
    for (const verb of ['update', 'patch', 'apply'] as const) this.fail({ verb }, { status: 409, reason: 'Conflict' }, times)
  }

  /** Kinds of the open watches. */
  get watched(): readonly string[] {
    return [...this.#watchers].map(({ resource }) => resource.kind).sort()
  }

  watchesEnd(ending: WatchEnding, kind?: string): void {
    for (const watcher of this.#watchers) {
      if (kind !== undefined && watcher.resource.kind !== kind) continue
      switch (ending) {
        case 'end':
          watcher.end()
          break
        case 'reset':
          watcher.reset()
          break
        case 'half-line':
          watcher.halfLine()
          break
        case 'expired':
          watcher.expire()
          break
      }
    }
  }

  /** Open watches stay open and say nothing any more, as behind a connection that died. */
  silence(): void {
    for (const watcher of this.#watchers) watcher.isSilent = true
  }

  /** Every open watch hears of the present version. */
  bookmark(): void {
    for (const watcher of this.#watchers) watcher.bookmark(this.store.version)
  }

  /** Events come late: not before `release`. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const event of held) for (const watcher of this.#watchers) watcher.event(event)
  }

  /** Nobody can reach it until `listen`. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve)
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.down()
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk as Buffer)
    const request = parseRequest(message, Buffer.concat(chunks).toString('utf8'), this.#resources)
    this.requests.push(request)
    const fault = this.#faultOf(request)
    if (fault === 'hang') return
    if (fault === 'drop') {
      message.socket.destroy()
      return
    }
    if (typeof fault === 'object' && 'delay' in fault) await new Promise((resolve) => setTimeout(resolve, fault.delay))
    try {
      if (this.token !== undefined && request.headers['authorization'] !== `Bearer ${this.token}`) {
        throw new ApiProblem(401, 'Unauthorized', 'Unauthorized')
      }
      if (typeof fault === 'object' && 'status' in fault) {
        const { status, reason = 'Scripted', message: text = 'the script says so', retryAfter } = fault
        if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter))
        throw new ApiProblem(status, reason, text)
      }
      const answer = this.#answer(request, response)
      if (fault === 'drop-answer') message.socket.destroy()
      else if (answer !== undefined) this.#send(message, response, answer.status, answer.body)
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error
      if (fault === 'drop-answer') message.socket.destroy()
      else this.#send(message, response, error.status, statusObject(error))
    }
  }

  #send(message: IncomingMessage, response: ServerResponse, status: number, body: object): void {
    const bytes = Buffer.from(JSON.stringify(body))
    const compressed = bytes.length >= this.large && String(message.headers['accept-encoding']).includes('gzip')
    response.writeHead(status, { 'content-type': 'application/json', ...(compressed ? { 'content-encoding': 'gzip' } : {}) })
    response.end(compressed ? gzipSync(bytes) : bytes)
  }

  /** undefined: a watch, which goes on. */
  #answer(request: ApiRequest, response: ServerResponse): { readonly status: number; readonly body: object } | undefined {
    const { verb, resource, namespace, name, query } = request
    const ok = (body: object, status = 200) => ({ status, body })
    if (verb === 'discover') return ok(this.#discovery(request))
    if (resource === undefined) throw notFound('the server could not find the requested resource')
    switch (verb) {
      case 'list':
        return ok(this.#list(request, resource))
      case 'watch':
        this.#watch(request, resource, response)
        return undefined
      case 'get':
        return ok(this.store.existing(resource, namespace, name))
      case 'create':
        return ok(this.store.create(resource, request.object()), 201)
      case 'update':
        return ok(this.store.update(resource, this.store.existing(resource, namespace, name), request.object(), request.part))
      case 'patch':
        return ok(this.store.patch(resource, this.store.existing(resource, namespace, name), request.object(), request.part))
      case 'apply':
        return ok(this.store.apply(resource, namespace, name, query.get('fieldManager') ?? '', request.object()))
      case 'delete': {
        const { preconditions } = request.body === '' ? {} : (JSON.parse(request.body) as { preconditions?: object })
        this.store.delete(resource, this.store.existing(resource, namespace, name), preconditions)
        return ok({ kind: 'Status', apiVersion: 'v1', status: 'Success' })
      }
    }
  }

  #discovery({ path, headers }: ApiRequest): object {
    const wantsAggregated = this.aggregatedDiscovery && String(headers['accept']).includes('as=APIGroupDiscoveryList')
    if (path === '/api' || path === '/apis') {
      if (wantsAggregated) return aggregated(this.#resources, path === '/api')
      return path === '/api' ? { kind: 'APIVersions', versions: ['v1'] } : groupList(this.#resources)
    }
    const [, , first = '', second = ''] = path.split('/')
    const found = path.startsWith('/api/') ? resourceList(this.#resources, '', first) : resourceList(this.#resources, first, second)
    if (found === undefined) throw notFound('the server could not find the requested resource')
    return found
  }

  #list({ query, namespace, isMetadataOnly, selects }: ApiRequest, resource: ServedResource): object {
    const token = query.get('continue')
    const continued = token === null ? undefined : this.#continued.get(token)
    if (token !== null && (continued === undefined || this.store.isForgotten(continued.version))) {
      throw new ApiProblem(410, 'Expired', 'The provided continue parameter is too old')
    }
    const version = continued?.version ?? this.store.version
    const all = continued?.rest ?? this.store.list(resource, namespace).filter(selects)
    const limit = Number(query.get('limit') ?? 0) || all.length
    const rest = all.slice(limit)
    const next = rest.length === 0 ? '' : `${version}-${this.#continued.size + 1}`
    if (next !== '') this.#continued.set(next, { rest, version })
    const items = all.slice(0, limit)
    return {
      kind: isMetadataOnly ? 'PartialObjectMetadataList' : `${resource.kind}List`,
      apiVersion: isMetadataOnly ? 'meta.k8s.io/v1' : apiVersionOf(resource),
      metadata: { resourceVersion: String(version), ...(next === '' ? {} : { continue: next, remainingItemCount: rest.length }) },
      items: isMetadataOnly ? items.map(metadataOf) : items.map(({ apiVersion: _a, kind: _k, ...item }) => item),
    }
  }

  #watch({ query, namespace, isMetadataOnly, selects }: ApiRequest, resource: ServedResource, response: ServerResponse): void {
    const version = Number(query.get('resourceVersion') ?? 0)
    const events = this.store.since(resource, version)
    if (events === undefined && this.expiredAs === 'response') {
      throw new ApiProblem(410, 'Expired', `too old resource version: ${version}`)
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const watcher = new Watcher(resource, response, (object) => {
      if ((namespace !== '' && object.metadata.namespace !== namespace) || !selects(object)) return undefined
      return isMetadataOnly ? metadataOf(object) : object
    })
    response.once('close', () => this.#watchers.delete(watcher))
    if (events === undefined) {
      watcher.expire()
      return
    }
    this.#watchers.add(watcher)
    const held = new Set(this.#held)
    for (const event of events) if (!held.has(event)) watcher.event(event)
    const seconds = Number(query.get('timeoutSeconds') ?? 0)
    if (seconds > 0) {
      const timer = setTimeout(() => watcher.end(), seconds * 1000)
      response.once('close', () => clearTimeout(timer))
    }
  }

  /** How a watch from a forgotten version learns of it: by status 410, or by an error event after status 200. */
  expiredAs: 'response' | 'event' = 'event'

  #faultOf(request: ApiRequest): Fault | undefined {
    const found = this.#faults.find(({ match, times }) => times > 0 && matches(match, request))
    if (found === undefined) return undefined
    found.times -= 1
    return found.fault
  }

  #ofObject({ apiVersion, kind }: KubeObject): ServedResource {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
    return this.resource(kind, group)
  }
}

function matches(match: RequestMatch, { verb, resource, namespace, name }: ApiRequest): boolean {
  return (
    (match.verb ?? verb) === verb &&
    (match.kind ?? resource?.kind) === resource?.kind &&
    (match.namespace ?? namespace) === namespace &&
    (match.name ?? name) === name
  )
}

function apiVersionOf({ group, version }: ServedResource): string {
  return group === '' ? version : `${group}/${version}`
}

function metadataOf({ metadata }: KubeObject): KubeObject {
  return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata }
}
