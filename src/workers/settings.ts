/** How a worker's data plane is set up, as plain JSON for the way to it. Keys go with it: the channel is between two processes of one user. */
import type { Bounds } from '../config/bounds.ts'
import type { Cidr } from '../lib/cidr.ts'
import { Secret } from '../lib/secret.ts'
import type { DataPlaneOptions } from '../proxy/data-plane.ts'
import type { ForwardedCertificate } from '../proxy/listener/client-certificate.ts'

/** What is said of a data plane wherever it runs. */
export type PlaneOptions = Pick<
  DataPlaneOptions,
  | 'bounds'
  | 'upgrades'
  | 'trusted'
  | 'trustedHops'
  | 'acceptProxyProtocol'
  | 'forwardClientCertificate'
  | 'nameServers'
  | 'namesMayBeLocal'
  | 'sessionKeys'
  | 'ticketSecret'
  | 'zone'
  | 'debugHeader'
>

/** The bits do not go through JSON as a number. */
interface SentCidr {
  readonly version: 4 | 6
  readonly bits: string
  readonly prefix: number
}

export interface WorkerSettings {
  readonly bounds: Partial<Bounds>
  readonly upgrades?: readonly string[]
  readonly trusted: readonly SentCidr[]
  readonly trustedHops: number
  readonly acceptProxyProtocol: readonly SentCidr[]
  readonly forwardClientCertificate?: ForwardedCertificate
  readonly nameServers?: readonly string[]
  readonly namesMayBeLocal: boolean
  readonly sessionKeys: readonly string[]
  readonly ticketSecret?: string
  readonly zone?: string
  readonly debugHeader: boolean
  readonly accessLog: 'off' | 'text' | 'json'
}

export function settingsOf(options: PlaneOptions, accessLog: WorkerSettings['accessLog']): WorkerSettings {
  const { bounds = {}, upgrades, trusted = [], trustedHops = 0, sessionKeys = [], ticketSecret, zone, debugHeader = false } = options
  const { acceptProxyProtocol = [], forwardClientCertificate, nameServers, namesMayBeLocal = false } = options
  return {
    bounds,
    ...(upgrades !== undefined && { upgrades }),
    trusted: trusted.map(sentCidr),
    trustedHops,
    acceptProxyProtocol: acceptProxyProtocol.map(sentCidr),
    ...(forwardClientCertificate !== undefined && { forwardClientCertificate }),
    ...(nameServers !== undefined && { nameServers }),
    namesMayBeLocal,
    sessionKeys: sessionKeys.map((key) => key.reveal()),
    ...(ticketSecret !== undefined && { ticketSecret: ticketSecret.reveal() }),
    ...(zone !== undefined && { zone }),
    debugHeader,
    accessLog,
  }
}

export function optionsOf({
  upgrades,
  trusted,
  sessionKeys,
  ticketSecret,
  zone,
  forwardClientCertificate,
  nameServers,
  ...rest
}: WorkerSettings): PlaneOptions {
  return {
    bounds: rest.bounds,
    ...(upgrades !== undefined && { upgrades }),
    trusted: trusted.map(receivedCidr),
    trustedHops: rest.trustedHops,
    acceptProxyProtocol: rest.acceptProxyProtocol.map(receivedCidr),
    ...(forwardClientCertificate !== undefined && { forwardClientCertificate }),
    ...(nameServers !== undefined && { nameServers }),
    namesMayBeLocal: rest.namesMayBeLocal,
    sessionKeys: sessionKeys.map((key) => new Secret(key)),
    ...(ticketSecret !== undefined && { ticketSecret: new Secret(ticketSecret) }),
    ...(zone !== undefined && { zone }),
    debugHeader: rest.debugHeader,
  }
}

function sentCidr({ version, bits, prefix }: Cidr): SentCidr {
  return { version, bits: String(bits), prefix }
}

function receivedCidr({ version, bits, prefix }: SentCidr): Cidr {
  return { version, bits: BigInt(bits), prefix }
}
