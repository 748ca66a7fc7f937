/** Requests that go on until they are told to stop, and what became of them: the test's measure of "nobody noticed". */
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'

export interface Target {
  readonly address: string
  readonly port: number
  readonly host: string
  readonly path?: string
  /** PEM: over TLS, trusting this authority. */
  readonly ca?: string
}

export interface TrafficResult {
  readonly sent: number
  /** What went wrong, in words; empty: nothing. */
  readonly failed: readonly string[]
}

export interface Answered {
  readonly status: number
  readonly body: string
  /** SHA-256 of the certificate that was shown; '' in clear text. */
  readonly certificate: string
}

const workers = 8
const pauseBetween = 10
const patience = 10_000

export class Traffic {
  readonly #target: Target
  readonly #failed: string[] = []
  readonly #running: Promise<unknown>[]
  #sent = 0
  #stopped = false

  /** Half of the workers keep their connections, half make one for each request. */
  constructor(target: Target) {
    this.#target = target
    this.#running = Array.from({ length: workers }, (_, index) => this.#work(index % 2 === 0))
  }

  get sent(): number {
    return this.#sent
  }

  async stop(): Promise<TrafficResult> {
    this.#stopped = true
    await Promise.all(this.#running)
    return { sent: this.#sent, failed: this.#failed }
  }

  async #work(keep: boolean): Promise<void> {
    const agent = agentFor(this.#target, keep)
    while (!this.#stopped) {
      const answer = await ask(this.#target, agent).catch((error: unknown) => error as Error)
      this.#sent += 1
      if (answer instanceof Error) this.#failed.push(`${keep ? 'kept' : 'new'} connection: ${answer.message}`)
      else if (answer.status !== 200) this.#failed.push(`status ${answer.status}: ${answer.body.slice(0, 200)}`)
      await delay(pauseBetween)
    }
    agent.destroy()
  }
}

function agentFor({ ca }: Target, keepAlive: boolean): HttpAgent {
  return ca === undefined ? new HttpAgent({ keepAlive, maxSockets: 1 }) : new HttpsAgent({ keepAlive, maxSockets: 1, maxCachedSessions: 0 })
}

/** One request. On a kept connection that closed under it, once more on another, as clients do (RFC 9112, section 9.3.1). */
export async function ask(target: Target, agent: HttpAgent | false = false): Promise<Answered> {
  try {
    return await once(target, agent)
  } catch (error) {
    if (error instanceof StaleConnection) return once(target, agent)
    throw error
  }
}

class StaleConnection extends Error {}

function once({ address, port, host, path = '/', ca }: Target, agent: HttpAgent | false): Promise<Answered> {
  const options = { host: address, port, path, agent, headers: { host }, timeout: patience }
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      const certificate = ca === undefined ? '' : ((response.socket as TLSSocket).getPeerCertificate().fingerprint256 ?? '')
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, certificate }))
      response.on('error', reject)
    }
    const asked: ClientRequest =
      ca === undefined ? httpRequest(options, answered) : httpsRequest({ ...options, ca, servername: host }, answered)
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${patience} ms`)))
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(asked.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection(error.message) : error),
    )
    asked.end()
  })
}
