/** What happened outside and is known at the moment of the snapshot: acknowledgements, granted addresses, ports that could not be bound. */
import type { FailedPort } from '../lib/served-ports.ts'

export interface Observations {
  /** By `namespace/name` of the Gateway. Absent: nothing was observed yet. */
  readonly gateways: ReadonlyMap<string, GatewayObservation>
  /**
   * What the offline commands take for granted: everything served, one address granted.
   * Then `gateways` is not looked at.
   */
  readonly assumeProgrammed: boolean
}

export interface GatewayObservation {
  /** The configuration version that all ready data planes serve. */
  readonly servedVersion?: string
  readonly addresses: readonly { readonly type: 'IPAddress' | 'Hostname'; readonly value: string }[]
  /** Ports that the data plane could not open, with the reason as a person would say it. */
  readonly failedPorts: readonly FailedPort[]
}
