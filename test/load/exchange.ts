/** One question to the gateway and its answer, whatever the version of HTTP. Real clients are the judges of what comes. */
import type { Asked } from './expectation.ts'

export interface Question extends Asked {
  readonly query: string
  /** Absent: POST with a body, GET without. */
  readonly method?: string
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The body goes in chunks, else with its length. */
  readonly chunked?: boolean
  /** How many pieces the body is sent in, 30 ms apart. */
  readonly pieces?: number
}

export interface Answer {
  readonly status: number
  /** By lower-case name; the last of equal ones. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** The same object for all that came over one connection. */
  readonly connection: object
}

/** What node:http and node:http2 give. */
export function headersOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : (value?.at(-1) ?? '')]))
}

/** Asks over one connection at a time. */
export interface Way {
  /** Rejects with `Unanswered`, or with another error for an answer that is broken, wrong in its framing or cut. */
  ask(question: Question): Promise<Answer>
  close(): void
}

/** The connection was refused, or ended before the first byte of an answer. */
export class Unanswered extends Error {}

/** Generous: a handshake takes many turns of two processes, each of which a busy machine may keep waiting. */
export const longestWait = 20_000

/** The body of a question in its pieces; `paused` comes between two of them. */
export async function sendPieces({ body = '', pieces = 1 }: Question, send: (piece: string) => void, paused: () => Promise<void>) {
  const size = Math.ceil(body.length / pieces)
  for (let at = 0; at < body.length; at += size) {
    if (at > 0) await paused()
    send(body.slice(at, at + size))
  }
}
