/** HTTP/2 by `node:http2`: streams of one session, and a new one after its end or its GOAWAY. */
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2'
import { pause } from '../harness/eventually.ts'
import { type Answer, headersOf, longestWait, type Question, sendPieces, Unanswered, type Way } from './exchange.ts'

export class Http2Way implements Way {
  readonly #authority: string
  readonly #options: SecureClientSessionOptions
  readonly #secure: boolean
  #session: ClientHttp2Session | undefined

  constructor(port: number, tls: SecureClientSessionOptions | undefined) {
    this.#secure = tls !== undefined
    this.#authority = `${this.#secure ? 'https' : 'http'}://127.0.0.1:${port}`
    this.#options = tls ?? {}
  }

  ask(question: Question): Promise<Answer> {
    const session = this.#open()
    return new Promise((resolve, reject) => {
      const { body, chunked } = question
      const stream = session.request(
        {
          ...question.headers,
          ':method': question.method ?? (body === undefined ? 'GET' : 'POST'),
          ':scheme': this.#secure ? 'https' : 'http',
          ':authority': question.host,
          ':path': question.path + question.query,
          ...(body === undefined || chunked ? {} : { 'content-length': body.length }),
        },
        { endStream: body === undefined },
      )
      let answer: Pick<Answer, 'status' | 'headers'> | undefined
      let text = ''
      let ended = false
      let problem = ''
      stream.setEncoding('latin1')
      stream.setTimeout(longestWait, () => {
        problem = `no byte came for ${longestWait} ms`
        stream.destroy()
      })
      stream.on('response', (headers) => {
        const fields = Object.entries(headers).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value] as const)
        answer = { status: Number(headers[':status']), headers: headersOf(Object.fromEntries(fields)) }
      })
      stream.on('data', (piece: string) => {
        text += piece
      })
      stream.on('end', () => {
        ended = true
      })
      stream.on('error', (error) => {
        problem ||= error.message
      })
      stream.on('close', () => {
        const broke = problem !== '' || !ended || stream.rstCode !== 0
        if (answer !== undefined && !broke) return resolve({ ...answer, body: text, connection: session })
        const why = `${problem || 'the stream ended'}, code ${stream.rstCode}`
        reject(answer === undefined ? new Unanswered(why) : new Error(`the answer broke off: ${why}`))
      })
      if (body === undefined) return
      void sendPieces(
        question,
        (piece) => stream.write(piece, 'latin1'),
        () => pause(30),
      ).then(() => stream.end())
    })
  }

  close(): void {
    this.#session?.close()
  }

  #open(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session
    const session = connect(this.#authority, this.#options)
    // Its streams tell.
    session.on('error', () => {})
    this.#session = session
    return session
  }
}
