/**
 * One request to the API server and its answer: connections that are kept, credentials, a deadline. No retries but the
 * one after credentials that were not accepted any more. Watches have connections of their own, since they hold them.
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { type Answer, errorOf } from './answer.ts'
import type { Access, Credentials, TlsAccess } from './credentials.ts'
import { isKubeError, KubeError } from './kube-error.ts'
import { UNREACHABLE } from './retry.ts'

export interface Outgoing {
  /** Completes "Cannot ...". */
  readonly doing: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With the query. */
  readonly path: string
  readonly accept: string
  readonly contentType?: string
  readonly body?: string
}

export interface TransportOptions {
  readonly credentials: Credentials
  readonly userAgent: string
  /** Milliseconds for a whole request and its answer; for a watch, for the head of the answer. */
  readonly deadline: number
}

/** Requests at one time; more wait. */
const CONNECTIONS = 32
const CONNECT_MS = 10_000
const IDLE_MS = 60_000

interface Agents {
  readonly tls: TlsAccess
  readonly requests: Dispatcher
  readonly watches: Dispatcher
}

const unzip = promisify(gunzip)

export class Transport {
  readonly #options: TransportOptions
  readonly #origin: string
  readonly #prefix: string
  #agents: Agents | undefined

  constructor(options: TransportOptions) {
    this.#options = options
    const { origin, pathname } = new URL(options.credentials.server)
    this.#origin = origin
    this.#prefix = pathname.replace(/\/$/, '')
  }

  /** Any status; a KubeError of status 0 when no answer came, also because `signal` aborted. */
  async send(request: Outgoing, signal?: AbortSignal): Promise<Answer> {
    const answer = await this.#exchange(request, signal)
    if (answer.status !== 401) return answer
    this.#options.credentials.refused()
    return await this.#exchange(request, signal)
  }

  /** The bytes of an answer of status 200, for as long as they come; anything else is a KubeError. `signal` ends it. */
  async stream(request: Outgoing, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    try {
      return await this.#open(request, signal)
    } catch (error) {
      if (!isKubeError(error, 401)) throw error
      this.#options.credentials.refused()
      return await this.#open(request, signal)
    }
  }

  async #open(request: Outgoing, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const { access, watches } = await this.#ready()
    const deadline = deadlineOf(this.#options.deadline, signal)
    try {
      const { statusCode, headers, body } = await watches.request(this.#outgoing(request, access, deadline.signal))
      if (statusCode === 200) return body
      throw errorOf(request.doing, { status: statusCode, headers, text: await body.text() })
    } catch (error) {
      throw unanswered(request.doing, error, deadline.isOver())
    } finally {
      deadline.clear()
    }
  }

  async close(): Promise<void> {
    const agents = this.#agents
    this.#agents = undefined
    await Promise.all([agents?.requests.destroy(), agents?.watches.destroy()])
  }

  async #exchange(request: Outgoing, signal: AbortSignal | undefined): Promise<Answer> {
    const { access, requests } = await this.#ready()
    const deadline = deadlineOf(this.#options.deadline, signal)
    try {
      const { statusCode, headers, body } = await requests.request(this.#outgoing(request, access, deadline.signal))
      const bytes = Buffer.from(await body.arrayBuffer())
      // The answer is not touched on its way here: it is decompressed once, and here.
      const plain = headers['content-encoding'] === 'gzip' ? await unzip(bytes) : bytes
      return { status: statusCode, headers, text: plain.toString('utf8') }
    } catch (error) {
      throw unanswered(request.doing, error, deadline.isOver())
    } finally {
      deadline.end()
    }
  }

  #outgoing({ method, path, accept, contentType, body }: Outgoing, { headers }: Access, signal: AbortSignal): Dispatcher.RequestOptions {
    return {
      origin: this.#origin,
      path: this.#prefix + path,
      method,
      headers: {
        ...headers,
        accept,
        'accept-encoding': 'gzip',
        'user-agent': this.#options.userAgent,
        ...(contentType !== undefined && { 'content-type': contentType }),
      },
      ...(body !== undefined && { body }),
      signal,
    }
  }

  async #ready(): Promise<{ readonly access: Access } & Agents> {
    const access = await this.#options.credentials.access()
    const before = this.#agents
    if (before?.tls === access.tls) return { access, ...before }
    this.#agents = {
      tls: access.tls,
      requests: this.#agent(access.tls, CONNECTIONS),
      watches: this.#agent(access.tls, null),
    }
    // What runs on the old certificate may end; watches end by themselves within minutes.
    void before?.requests.close()
    void before?.watches.close()
    return { access, ...this.#agents }
  }

  #agent(tls: TlsAccess, connections: number | null): Dispatcher {
    const { proxy } = this.#options.credentials
    const common = { connections, keepAliveTimeout: IDLE_MS, headersTimeout: 0, bodyTimeout: 0 }
    return proxy === undefined
      ? new Agent({ ...common, connect: { ...tls, timeout: CONNECT_MS } })
      : new ProxyAgent({ ...common, uri: proxy, requestTls: tls })
  }
}

interface Deadline {
  readonly signal: AbortSignal
  readonly isOver: () => boolean
  /** The answer has begun: there is no deadline any more. */
  readonly clear: () => void
  /** The answer is there, or none comes. */
  readonly end: () => void
}

function deadlineOf(milliseconds: number, signal?: AbortSignal): Deadline {
  const controller = new AbortController()
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    controller.abort()
  }, milliseconds)
  const abort = (): void => controller.abort()
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const clear = (): void => clearTimeout(timer)
  const end = (): void => {
    clear()
    signal?.removeEventListener('abort', abort)
  }
  return { signal: controller.signal, isOver: () => isOver, clear, end }
}

const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

function unanswered(doing: string, error: unknown, isOver: boolean): KubeError {
  if (error instanceof KubeError) return error
  if (isOver)
    return new KubeError(`Cannot ${doing}: the API server did not answer in time`, { status: 0, reason: 'Timeout' }, { cause: error })
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const text = error instanceof Error ? error.message : String(error)
  const reason = NOT_SENT.has(code) ? UNREACHABLE : 'ConnectionLost'
  return new KubeError(`Cannot ${doing}: no answer came from the API server (${text || code})`, { status: 0, reason }, { cause: error })
}
