/** What happened outside and is known at the moment of the snapshot: acknowledgements, granted addresses, ports that could not be bound. */
import type { FailedPort } from '../lib/served-ports.ts'
import type { Transport } from '../lib/transport.ts'

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
  /** Why what the Gateway needs in the cluster is not as it shall be. */
  readonly infraFailure?: InfraFailure
}

export interface InfraFailure {
  /** As the condition Programmed has it. */
  readonly reason: 'Invalid' | 'NoResources' | 'Pending'
  /** As a person would say it. */
  readonly message: string
  /** Ports that the Gateway's Services do not have yet. */
  readonly closedPorts: readonly { readonly port: number; readonly transport: Transport }[]
}
