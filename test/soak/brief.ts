/** Tunnels and gRPC streams that open, say a little and close in good order, again and again. */
import type { ConnectionOptions } from 'node:tls'
import { pause } from '../harness/eventually.ts'
import { filler } from '../load/filler.ts'
import { GrpcWay } from '../load/grpc-way.ts'
import type { Random } from '../load/random.ts'
import { Stream } from '../load/streams.ts'
import { Tunnel, tunnelSession } from '../load/tunnels.ts'
import { type ErrandTally, moment } from './errands.ts'
import { host } from './scenery.ts'

const messages = 5

interface Conversation {
  echo(message: string): Promise<void>
  close(): Promise<void>
  abandon(): void
}

interface Opened {
  readonly conversation: Conversation
  /** Closes what the conversation ran over. */
  end?(): void
}

export async function runBrief(
  name: string,
  open: () => Promise<Opened>,
  random: Random,
  tally: ErrandTally,
  stop: AbortSignal,
): Promise<void> {
  for (let number = 0; !stop.aborted; number++) {
    tally.asked += 1
    const began = performance.now()
    let opened: Opened | undefined
    try {
      opened = await open()
      const { conversation } = opened
      for (let message = 0; message < messages; message++)
        await conversation.echo(`${filler(`${name}-${number}-${message}`, 1 + random.below(30_000))}\n`)
      await conversation.close()
      tally.right += 1
    } catch (error) {
      tally.failures.push(`${moment(began)} ${name}: ${(error as Error).message}`)
      opened?.conversation.abandon()
    }
    opened?.end?.()
    await pause(random.below(500))
  }
}

export async function openTunnel(port: number, tls: ConnectionOptions | undefined): Promise<Opened> {
  return { conversation: await Tunnel.open(port, tls, host) }
}

export async function openTunnelOverHttp2(port: number, tls: ConnectionOptions | undefined): Promise<Opened> {
  const session = await tunnelSession(port, tls)
  return { conversation: await Tunnel.overHttp2(session, host), end: () => session.close() }
}

export async function openStream(port: number, authority: string | undefined): Promise<Opened> {
  const way = new GrpcWay(port, host, authority)
  return { conversation: new Stream(way, '/test.Shop/chat'), end: () => way.close() }
}
