/** Clients that come by way of a proxy which says so (PROXY protocol), from an address of this machine of its own. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { parseCidr } from '../../src/lib/cidr.ts'
import type { Ends } from '../../src/proxy/proxy-protocol/ends.ts'
import { writeHeader } from '../../src/proxy/proxy-protocol/write-header.ts'

/** Clients of tests come from 127.0.0.1: nobody asks them for a header. */
export const proxyAddress = '127.0.0.2'
export const proxyRanges = [parseCidr(proxyAddress)].filter((range) => range !== undefined)

/** What most headers of tests say. */
export const ends: Ends = {
  source: { address: '192.0.2.7', port: 40_000 },
  destination: { address: '198.51.100.9', port: 443 },
}
export const header1: Buffer = writeHeader('v1', ends)
export const header2: Buffer = writeHeader('v2', ends)

/** Connected from the proxy's address; `first` is sent at once. */
export async function viaProxy(port: number, first: Buffer | string = ''): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: proxyAddress, noDelay: true, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (first.length > 0) socket.write(first)
  return socket
}

/** TLS after the header. Rejects when the handshake fails. */
export async function tlsViaProxy(port: number, header: Buffer, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ socket: await viaProxy(port, header), checkServerIdentity: () => undefined, ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

/** One write for each byte, so that each comes alone or nearly so. */
export async function sendByteByByte(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    socket.write(Buffer.of(byte))
    await new Promise(setImmediate)
  }
}
