/**
 * http2: HTTP/2 of clients, over the sessions of `proxy/h2`.
 *
 * A connection holds a session; each of its streams is the client's side of an exchange (`Downstream`), and its head is
 * judged by the rules of HTTP/1 (`readHead`). What is bounded here is what HTTP/2 adds: streams, resets, frames without use.
 * It knows nothing of routes, filters or backends; `proxy/http` knows nothing of it. The listener side calls `serveHttp`.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { AdoptedSocket } from '../byte-socket.ts'
import type { ClientConnection, ConnectionContext } from '../http/connection-context.ts'
import { serveHttp1 } from '../http1/serve.ts'
import { Http2Connection } from './connection.ts'
import { FirstBytes } from './first-bytes.ts'

/**
 * Serves what the client speaks: by ALPN on TLS, by its first bytes in clear text.
 * @param socket as for `serveHttp1`
 * @param first bytes that were read from it already, in clear text only
 */
export function serveHttp(socket: Socket, context: ConnectionContext, first?: Buffer): ClientConnection {
  if (!(socket instanceof TLSSocket)) return new FirstBytes(socket, context, first)
  if (socket.alpnProtocol !== 'h2') return serveHttp1(socket, context)
  return new Http2Connection(new AdoptedSocket(socket, context.runtime.buffers.read), context, undefined)
}
