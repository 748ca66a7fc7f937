/** The connection to an endpoint, in clear text or over TLS, and why it did not come to be. */
import type { Socket } from 'node:net'
import { type ByteHandler, connectSocket } from '../byte-socket.ts'
import type { UpstreamFailure } from './failure.ts'
import type { Endpoint } from './endpoint.ts'
import { isOwnFailure } from './own-failure.ts'
import type { Pool } from './pool.ts'

export interface Dialled {
  readonly socket: Socket
  /** Why, when it closes before `ready` was called. */
  readonly failure: () => UpstreamFailure
  /** The error was ours: it says nothing about the endpoint. */
  readonly isOwnFailure: () => boolean
}

/**
 * @param ready may be written to
 * @param preamble what the endpoint is sent before everything else, in clear text where TLS follows too
 */
export function dial({ secure, runtime }: Pool, endpoint: Endpoint, handler: ByteHandler, ready: () => void, preamble?: Buffer): Dialled {
  const { read } = runtime.buffers
  const { address, port } = endpoint.config
  const socket = secure === undefined ? connectSocket(address, port, handler, read) : secure.connect(endpoint, handler, read, preamble)
  let isConnected = false
  let error: NodeJS.ErrnoException | undefined
  socket.on('connect', () => {
    isConnected = true
    if (secure !== undefined) return
    if (preamble !== undefined) socket.write(preamble)
    ready()
  })
  if (secure !== undefined) socket.on('secureConnect', ready)
  // 'close' follows, without 'end' before it.
  socket.on('error', (reason) => {
    error = reason
    endpoint.problem = reason.message
  })
  return {
    socket,
    failure: () => (isConnected ? 'connect-tls' : 'connect-refused'),
    isOwnFailure: () => error !== undefined && isOwnFailure(error),
  }
}
