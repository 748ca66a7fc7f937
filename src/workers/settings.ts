/** How a worker's data plane is set up, as plain JSON for the way to it. Keys go with it: the channel is between two processes of one user. */
import type { Bounds } from '../config/bounds.ts'
import { Secret } from '../lib/secret.ts'
import type { DataPlaneOptions } from '../proxy/data-plane.ts'

/** What is said of a data plane wherever it runs. */
export type PlaneOptions = Pick<
  DataPlaneOptions,
  'bounds' | 'upgrades' | 'trusted' | 'trustedHops' | 'sessionKeys' | 'ticketSecret' | 'zone' | 'debugHeader'
>

export interface WorkerSettings {
  readonly bounds: Partial<Bounds>
  readonly upgrades?: readonly string[]
  readonly trusted: readonly { readonly version: 4 | 6; readonly bits: string; readonly prefix: number }[]
  readonly trustedHops: number
  readonly sessionKeys: readonly string[]
  readonly ticketSecret?: string
  readonly zone?: string
  readonly debugHeader: boolean
  readonly accessLog: 'off' | 'text' | 'json'
}

export function settingsOf(options: PlaneOptions, accessLog: WorkerSettings['accessLog']): WorkerSettings {
  const { bounds = {}, upgrades, trusted = [], trustedHops = 0, sessionKeys = [], ticketSecret, zone, debugHeader = false } = options
  return {
    bounds,
    ...(upgrades !== undefined && { upgrades }),
    trusted: trusted.map(({ version, bits, prefix }) => ({ version, bits: String(bits), prefix })),
    trustedHops,
    sessionKeys: sessionKeys.map((key) => key.reveal()),
    ...(ticketSecret !== undefined && { ticketSecret: ticketSecret.reveal() }),
    ...(zone !== undefined && { zone }),
    debugHeader,
    accessLog,
  }
}

export function optionsOf({ upgrades, trusted, sessionKeys, ticketSecret, zone, ...rest }: WorkerSettings): PlaneOptions {
  return {
    bounds: rest.bounds,
    ...(upgrades !== undefined && { upgrades }),
    trusted: trusted.map(({ version, bits, prefix }) => ({ version, bits: BigInt(bits), prefix })),
    trustedHops: rest.trustedHops,
    sessionKeys: sessionKeys.map((key) => new Secret(key)),
    ...(ticketSecret !== undefined && { ticketSecret: new Secret(ticketSecret) }),
    ...(zone !== undefined && { zone }),
    debugHeader: rest.debugHeader,
  }
}
