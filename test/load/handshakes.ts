/** A client that shakes hands again and again, and looks which certificate it was shown. */
import { once } from 'node:events'
import { connect, type ConnectionOptions } from 'node:tls'
import { pause } from '../harness/eventually.ts'
import type { Load } from './clients.ts'

/** @param serials by number of the certificate */
export async function runHandshakes(port: number, tls: ConnectionOptions, serials: readonly string[], load: Load): Promise<void> {
  const { timeline, tally, stop, longestPause } = load
  while (!stop.aborted) {
    const mark = timeline.settled
    const socket = connect({ port, host: '127.0.0.1', ...tls })
    try {
      await once(socket, 'secureConnect')
      const shown = serials.indexOf(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      const right = timeline.since(mark).map(({ certificate }) => certificate)
      if (!right.includes(shown)) tally.failures.push(`the handshake showed certificate ${shown}, expected one of ${right.join(' ')}`)
      tally.handshakes += 1
    } catch (error) {
      tally.failures.push(`the handshake failed: ${(error as Error).message}`)
    }
    socket.destroy()
    await pause(longestPause / 2)
  }
}
