/**
 * http1, clients: HTTP/1 connections of clients, over the codec of this folder.
 *
 * `serveHttp1` takes an accepted socket that carries plain HTTP/1 bytes (TLS has ended before) and serves it until it
 * closes. A connection reads heads and bodies with the codec and is the client's side (`Downstream`) of one exchange at a
 * time. `proxy/http` knows nothing of it. It opens no listening sockets, knows nothing of certificates and reads no
 * configuration; the listener side calls this.
 */
import type { Socket } from 'node:net'
import { AdoptedSocket } from '../byte-socket.ts'
import type { ClientConnection, ConnectionContext } from '../http/connection-context.ts'
import { Http1Connection } from './connection.ts'

/**
 * @param socket accepted with `pauseOnConnect` and `allowHalfOpen`, nobody else reads it
 * @param first bytes that were read from it already
 */
export function serveHttp1(socket: Socket, context: ConnectionContext, first?: Buffer): ClientConnection {
  return new Http1Connection(new AdoptedSocket(socket, context.runtime.buffers.read), context, first)
}
