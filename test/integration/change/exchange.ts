/** One request and its answer over `node:http`, whose strict parser is the judge of what comes. */
import { type Agent, type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Socket } from 'node:net'
import { pause } from '../../harness/eventually.ts'
import type { Asked } from './expectation.ts'

export interface Question extends Asked {
  readonly query: string
  /** Makes it a POST. */
  readonly body?: string
  /** The body goes in chunks, else with its length. */
  readonly chunked?: boolean
  /** How many pieces the body is sent in, 30 ms apart. */
  readonly pieces?: number
}

export interface Way {
  readonly port: number
  readonly secure: boolean
  readonly agent: Agent
}

export interface Answer {
  readonly status: number
  readonly message: IncomingMessage
  readonly body: string
  readonly socket: Socket
}

/** The connection was refused, or ended before the first byte of an answer. */
export class Unanswered extends Error {}

const longestWait = 10_000

/** Rejects with `Unanswered`, or with another error for an answer that is broken, wrong in its framing or cut. */
export function exchange({ port, secure, agent }: Way, question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host, body = '', chunked, pieces = 1 } = question
    const request = (secure ? requestTls : requestPlain)({
      host: '127.0.0.1',
      port,
      agent,
      method: question.body === undefined ? 'GET' : 'POST',
      path: question.path + question.query,
      headers: { host, ...(question.body === undefined || chunked ? {} : { 'content-length': body.length }) },
      timeout: longestWait,
    })
    let read = (): number => 0
    request.on('socket', (socket) => {
      const before = socket.connecting ? 0 : socket.bytesRead
      read = () => socket.bytesRead - before
    })
    request.on('response', (message) => {
      const { socket } = message
      let text = ''
      message.setEncoding('latin1')
      message.on('data', (piece: string) => {
        text += piece
      })
      message.on('end', () => resolve({ status: message.statusCode ?? 0, message, body: text, socket }))
      message.on('error', (error) => reject(new Error(`the answer broke off: ${error.message}`, { cause: error })))
    })
    request.on('timeout', () => request.destroy(new Error(`no byte came for ${longestWait} ms`)))
    request.on('error', (error) => {
      const began = !secure && read() > 0
      reject(
        began ? new Error(`the answer is broken: ${error.message}`, { cause: error }) : new Unanswered(error.message, { cause: error }),
      )
    })
    void (async () => {
      const size = Math.ceil(body.length / pieces)
      for (let at = 0; at < body.length; at += size) {
        if (at > 0) await pause(30)
        request.write(body.slice(at, at + size), 'latin1')
      }
      request.end()
    })()
  })
}
