/** A client of HTTP/2 that is asked like the one of HTTP/1, and gives its session to cases that need more. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2'
import type { ClientAnswer, HttpClient, HttpRequest } from './client.ts'

export interface Http2Answer extends ClientAnswer {
  /** Why the stream ended; 0: as it should. */
  readonly resetCode: number
  /** Statuses of 1xx heads. */
  readonly interim: readonly number[]
}

export class Http2Client implements HttpClient {
  readonly session: ClientHttp2Session
  readonly #scheme: 'http' | 'https'
  readonly goaways: { readonly code: number; readonly lastStream: number }[] = []

  private constructor(session: ClientHttp2Session, scheme: 'http' | 'https') {
    this.session = session
    this.#scheme = scheme
    session.on('goaway', (code, lastStream) => {
      this.goaways.push({ code, lastStream })
    })
    session.on('error', () => {})
  }

  static connect(port: number, scheme: 'http' | 'https' = 'http', options: object = {}): Promise<Http2Client> {
    const session = connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false, ...options })
    return new Promise((resolve, reject) => {
      session.once('error', reject)
      session.once('connect', () => resolve(new Http2Client(session, scheme)))
    })
  }

  /** The stream, whose request is still open unless `end`. */
  open(request: HttpRequest & { readonly pseudo?: OutgoingHttpHeaders }, end: boolean): ClientHttp2Stream {
    const { method = 'GET', target = '/', host = 'a.example', fields = [], pseudo } = request
    const headers: OutgoingHttpHeaders = { ':method': method, ':path': target, ':scheme': this.#scheme, ':authority': host, ...pseudo }
    for (const line of fields) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon)
      const value = line.slice(colon + 1).trim()
      const before = headers[name]
      headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value]
    }
    const stream = this.session.request(headers, { endStream: end })
    stream.on('error', () => {})
    return stream
  }

  request(request: HttpRequest & { readonly pseudo?: OutgoingHttpHeaders } = {}): Promise<Http2Answer> {
    const stream = this.open(request, request.body === undefined)
    if (request.body !== undefined) stream.end(request.body, 'latin1')
    return answerOf(stream)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.session.destroyed) return resolve()
      this.session.once('close', resolve)
      this.session.destroy()
    })
  }
}

/** Resolves when the stream has closed, whatever the reason. */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let raw: readonly string[] = []
  let trailers = ''
  let body = ''
  const interim: number[] = []
  stream.on('headers', (headers) => interim.push(Number(headers[':status'])))
  stream.once('response', (_headers, _flags, ...more: unknown[]) => {
    raw = more[0] as string[]
  })
  stream.once('trailers', (_headers: unknown, _flags: unknown, ...more: unknown[]) => {
    trailers = linesOf(more[0] as string[])
  })
  stream.on('data', (bytes: Buffer) => {
    body += bytes.toString('latin1')
  })
  return new Promise((resolve) => {
    stream.once('close', () => {
      const headers = (name: string): string[] => raw.filter((_value, i) => i % 2 === 1 && raw[i - 1] === name.toLowerCase())
      resolve({
        status: Number(headers(':status')[0] ?? 0),
        reason: '',
        head: linesOf(raw),
        body,
        rawBody: body,
        trailers,
        resetCode: stream.rstCode ?? 0,
        interim,
        header: (name) => headers(name)[0],
        headers,
      })
    })
  })
}

function linesOf(raw: readonly string[]): string {
  let text = ''
  for (let i = 0; i + 1 < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`
  return text
}
