/** HTTP/1.1 by `node:http`, whose strict parser is the judge of what comes. */
import { Agent, request as requestPlain } from 'node:http'
import { Agent as TlsAgent, type AgentOptions, request as requestTls } from 'node:https'
import { pause } from '../harness/eventually.ts'
import { type Answer, headersOf, longestWait, type Question, sendPieces, Unanswered, type Way } from './exchange.ts'

export class Http1Way implements Way {
  readonly #port: number
  readonly #secure: boolean
  readonly #agent: Agent

  /** @param fresh a connection for each request, else one for as many as it bears */
  constructor(port: number, tls: AgentOptions | undefined, fresh: boolean) {
    const settings = { keepAlive: !fresh, maxSockets: 1 }
    this.#port = port
    this.#secure = tls !== undefined
    this.#agent = tls === undefined ? new Agent(settings) : new TlsAgent({ ...tls, ...settings, maxCachedSessions: 0 })
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { host, body = '', chunked } = question
      const request = (this.#secure ? requestTls : requestPlain)({
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method: question.method ?? (question.body === undefined ? 'GET' : 'POST'),
        path: question.path + question.query,
        headers: { ...question.headers, host, ...(question.body === undefined || chunked ? {} : { 'content-length': body.length }) },
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
        message.on('end', () =>
          resolve({
            status: message.statusCode ?? 0,
            headers: headersOf(message.headers),
            body: text,
            connection: socket,
          }),
        )
        message.on('error', (error) => reject(new Error(`the answer broke off: ${error.message}`, { cause: error })))
      })
      request.on('timeout', () => request.destroy(new Error(`no byte came for ${longestWait} ms`)))
      request.on('error', (error) => {
        const began = !this.#secure && read() > 0
        reject(
          began ? new Error(`the answer is broken: ${error.message}`, { cause: error }) : new Unanswered(error.message, { cause: error }),
        )
      })
      void sendPieces(
        question,
        (piece) => request.write(piece, 'latin1'),
        () => pause(30),
      ).then(() => request.end())
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
