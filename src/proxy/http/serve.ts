/**
 * http: the way of one request, whatever the version of HTTP.
 *
 * `serveHttp1` takes an accepted socket that carries plain HTTP/1 bytes (TLS has ended before) and serves it until it
 * closes. A connection reads heads and bodies with the codec and carries one exchange at a time; an exchange decides
 * by the router, edits, chooses an endpoint and relays. Neither opens listening sockets, knows of certificates, or reads
 * a configuration; the listener side calls this, `upstream` is called from here.
 */
import type { Socket } from 'node:net'
import { AdoptedSocket } from '../byte-socket.ts'
import { Connection } from './connection.ts'
import type { ConnectionContext, Http1Connection } from './connection-context.ts'

/**
 * @param socket accepted with `pauseOnConnect` and `allowHalfOpen`, nobody else reads it. A plain TCP socket is taken
 *   over: use it no more, but it still emits 'close'
 * @param first bytes that were read from it already
 */
export function serveHttp1(socket: Socket, context: ConnectionContext, first?: Buffer): Http1Connection {
  return new Connection(new AdoptedSocket(socket, context.runtime.buffers.read), context, first)
}
