/** Tries whether sockets can be bound, for the planning of places. */
import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import type { Transport } from '../lib/transport.ts'
import { planPlaces } from './placement.ts'
import type { BindTrial, Places, Trial } from './placement.ts'

/** Binds and lets go at once: another program may still be faster, which the data plane then reports. */
export async function tryBind({ address, port, transports }: Trial): Promise<BindTrial> {
  for (const transport of transports) {
    const trial = await TRIALS[transport](address, port)
    if (trial !== 'free') return trial
  }
  return 'free'
}

const TRIALS: { readonly [T in Transport]: (address: string, port: number) => Promise<BindTrial> } = {
  TCP: (address, port) =>
    new Promise((resolve) => {
      const server = createServer()
      server.once('error', (error: NodeJS.ErrnoException) => resolve(trialOf(error.code)))
      server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve('free')))
    }),
  UDP: (address, port) =>
    new Promise((resolve) => {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close()
        resolve(trialOf(error.code))
      })
      socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve('free')))
    }),
}

function trialOf(code: string | undefined): BindTrial {
  if (code === 'EACCES' || code === 'EPERM') return 'denied'
  if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT' || code === 'EINVAL') return 'no-address'
  return 'taken'
}

/** Plans places with trials on this machine's own sockets. */
export async function placeGateways(...plan: Parameters<typeof planPlaces>): Promise<Places> {
  const planning = planPlaces(...plan)
  let step = planning.next()
  while (step.done !== true) step = planning.next(await tryBind(step.value))
  return step.value
}
