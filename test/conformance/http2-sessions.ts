/** The suite's client of HTTP/2: one connection to each entrance and server name, by prior knowledge or by ALPN, kept until the end. */
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { pairs } from './echo-pod.ts'
import type { Response, Target } from './exchange.ts'

export class Http2Sessions {
  readonly #sessions = new Map<string, ClientHttp2Session>()

  async request(target: Target): Promise<Response> {
    const { method, path, host, fields, tls } = target
    const stream = this.#session(target).request({
      ':method': method,
      ':path': path,
      ':scheme': tls === undefined ? 'http' : 'https',
      ':authority': host,
      ...Object.fromEntries(fields),
    })
    const head = new Promise<Omit<Response, 'body'>>((resolve, reject) => {
      stream.once('error', reject)
      stream.once('response', (headers: IncomingHttpHeaders & { ':status'?: number }, _flags: number, ...more: unknown[]) => {
        const raw = pairs(more[0] as string[]).filter(([name]) => !name.startsWith(':'))
        resolve({ status: headers[':status'] ?? 0, fields: raw })
      })
    })
    let body = ''
    for await (const chunk of stream.setEncoding('utf8')) body += String(chunk)
    return { ...(await head), body }
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy()
  }

  #session({ port, tls }: Target): ClientHttp2Session {
    const key = `${port} ${tls?.serverName ?? ''}`
    const known = this.#sessions.get(key)
    if (known !== undefined && !known.closed && !known.destroyed) return known
    const session =
      tls === undefined
        ? connect(`http://127.0.0.1:${port}`)
        : connect(`https://127.0.0.1:${port}`, {
            ca: tls.authority,
            servername: tls.serverName,
            // The suite's certificates are for `*`, which no client takes for a name.
            checkServerIdentity: () => undefined,
          })
    // A stream of its own tells what became of it.
    session.on('error', () => undefined)
    this.#sessions.set(key, session)
    return session
  }
}
