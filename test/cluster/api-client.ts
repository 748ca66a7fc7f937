/** Requests to the API server as the harness needs them: JSON in, JSON out, and a watch line by line. */
import { Agent, request } from 'node:https'
import type { IncomingMessage, RequestOptions } from 'node:http'

/** PEM; a client certificate with its key, or a token. */
export interface Credentials {
  readonly server: string
  readonly ca: string
  readonly certificate?: string
  readonly key?: string
  readonly token?: string
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

export type PatchType = 'application/merge-patch+json' | 'application/apply-patch+yaml'

export class ApiError extends Error {
  readonly status: number
  readonly reason: string

  constructor(what: string, status: number, body: string) {
    const answer = statusOf(body)
    super(`Cannot ${what}: the API server answered ${status} ${answer.message ?? body.slice(0, 300)}`)
    this.status = status
    this.reason = answer.reason ?? ''
  }
}

export class ApiClient {
  readonly #credentials: Credentials
  readonly #agent: Agent

  constructor(credentials: Credentials) {
    this.#credentials = credentials
    this.#agent = new Agent({ keepAlive: true, maxSockets: 32 })
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path)
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('POST', path, JSON.stringify(body), 'application/json')
  }

  delete(path: string, options: unknown = {}): Promise<unknown> {
    return this.#json('DELETE', path, JSON.stringify(options), 'application/json')
  }

  /** `body` is sent as it is when it is text. */
  patch<T>(path: string, body: unknown, type: PatchType): Promise<T> {
    return this.#json<T>('PATCH', path, typeof body === 'string' ? body : JSON.stringify(body), type)
  }

  /** Text instead of JSON, for logs and health. */
  async text(path: string): Promise<string> {
    return this.#answer('GET', path)
  }

  /** Calls back for each event until the server ends the watch, `signal` aborts it, or the connection breaks (then it throws). */
  async watch<T>(path: string, signal: AbortSignal, onEvent: (event: WatchEvent<T>) => void): Promise<void> {
    const response = await this.#send('GET', path, undefined, undefined, signal)
    if (response.statusCode !== 200) throw new ApiError(`watch ${path}`, response.statusCode ?? 0, await read(response))
    let rest = ''
    response.setEncoding('utf8')
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onEvent(JSON.parse(line) as WatchEvent<T>)
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #json<T>(method: string, path: string, body?: string, type?: string): Promise<T> {
    return JSON.parse(await this.#answer(method, path, body, type)) as T
  }

  async #answer(method: string, path: string, body?: string, type?: string): Promise<string> {
    const response = await this.#send(method, path, body, type)
    const text = await read(response)
    if ((response.statusCode ?? 0) >= 300) throw new ApiError(`${method} ${path}`, response.statusCode ?? 0, text)
    return text
  }

  #send(method: string, path: string, body?: string, type?: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const { server, ca, certificate, key, token } = this.#credentials
    const options: RequestOptions & { ca: string; cert?: string; key?: string } = {
      method,
      agent: this.#agent,
      ca,
      headers: {
        accept: 'application/json',
        ...(type === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body ?? '') }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      ...(signal === undefined ? {} : { signal }),
    }
    return new Promise((resolve, reject) => {
      request(new URL(path, server), options, resolve).on('error', reject).end(body)
    })
  }
}

async function read(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return text
}

function statusOf(body: string): { readonly message?: string; readonly reason?: string } {
  try {
    return JSON.parse(body) as { message?: string; reason?: string }
  } catch {
    return {}
  }
}
