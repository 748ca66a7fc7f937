/** A client of Chromium's DevTools protocol over a pair of pipes: JSON messages, each ended by a NUL byte. */
import type { Readable, Writable } from 'node:stream'

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export interface DevToolsEvent {
  readonly sessionId: string | undefined
  readonly method: string
  readonly params: unknown
}

export class DevTools {
  readonly #out: Writable
  readonly #waiting = new Map<number, Waiting>()
  readonly #listeners = new Set<(event: DevToolsEvent) => void>()
  #lastId = 0
  #rest = ''

  constructor(out: Writable, answers: Readable) {
    this.#out = out
    answers.setEncoding('utf8')
    answers.on('data', (text: string) => {
      const messages = (this.#rest + text).split('\0')
      this.#rest = messages.pop() ?? ''
      for (const message of messages) this.#take(JSON.parse(message) as Message)
    })
    answers.on('close', () => this.#end())
    for (const stream of [out, answers]) stream.on('error', () => {})
  }

  /** Resolves with the command's result; rejects when it fails or the browser goes away before. */
  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = (this.#lastId += 1)
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, {
        resolve: (result) => resolve(result as T),
        reject: (error) => reject(new Error(`Cannot ${method}: ${error.message}`)),
      })
      this.#out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  /** Calls `listener` for each event until the function that it returns is called. */
  listen(listener: (event: DevToolsEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #take({ id, sessionId, method, params, result, error }: Message): void {
    if (id === undefined) {
      for (const listener of this.#listeners) listener({ sessionId, method: method ?? '', params })
      return
    }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(error.message))
  }

  #end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the browser has gone'))
    this.#waiting.clear()
  }
}
