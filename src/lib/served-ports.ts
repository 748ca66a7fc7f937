/** What became of the ports of a configuration where it is served. */
import type { Transport } from './transport.ts'

export interface OpenPort {
  /** The specification's. */
  readonly port: number
  readonly transport: Transport
  readonly address: string
  readonly listenPort: number
}

export interface FailedPort {
  /** The specification's. */
  readonly port: number
  readonly transport: Transport
  /** In words for a person. */
  readonly message: string
}
