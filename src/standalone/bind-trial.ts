/** Tries whether a TCP socket can be bound, for the planning of places. */
import { createServer } from 'node:net'
import { planPlaces } from './placement.ts'
import type { BindTrial, Places } from './placement.ts'

/** Binds and lets go at once: another program may still be faster, which the data plane then reports. */
export function tryBind(address: string, port: number): Promise<BindTrial> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(trialOf(error.code)))
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve('free')))
  })
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
  while (step.done !== true) step = planning.next(await tryBind(step.value.address, step.value.port))
  return step.value
}
