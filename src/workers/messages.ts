/**
 * What the main process and its workers say to each other, over the channel between them; plain JSON. Messages arrive in
 * the order in which they were sent, connections among them, and both sides are of one build.
 */
import type { GatewayResult } from '../delivery/in-process.ts'
import type { ConfigDelta } from '../delivery/gateway-resources.ts'
import type { CollectedFamily } from '../telemetry/many-processes.ts'
import type { PoolState } from '../proxy/upstream/pool-state.ts'
import type { WorkerSettings } from './settings.ts'

export type ToWorker =
  /** The first one. */
  | { readonly kind: 'start'; readonly settings: WorkerSettings }
  | ConfigMessage
  /** Comes with a connection that the socket `id` of this worker accepted. */
  | { readonly kind: 'connection'; readonly id: number }
  /** Answers to 'listen'. */
  | { readonly kind: 'listening'; readonly id: number; readonly port: number }
  | { readonly kind: 'not-listening'; readonly id: number; readonly reason: string }
  /** The answer to 'close': no connection of this socket comes any more. */
  | { readonly kind: 'closed'; readonly id: number }
  /** The system could not accept a connection of this socket. */
  | { readonly kind: 'accept-failed'; readonly id: number; readonly reason: string }
  | { readonly kind: 'ask'; readonly number: number; readonly for: keyof Answers }
  /** The last 'lines' have been taken. */
  | { readonly kind: 'lines-taken' }
  /** To be answered with 'pong', to see that the worker is not stuck. */
  | { readonly kind: 'ping' }
  /** Nothing comes after it. The worker ends when its connections have, at the latest after so many milliseconds. */
  | { readonly kind: 'drain'; readonly milliseconds: number }

/** All Gateways in their order; without a delta what the worker has is what is meant. */
export interface ConfigMessage {
  readonly kind: 'config'
  readonly number: number
  readonly gateways: readonly { readonly gateway: string; readonly delta?: ConfigDelta }[]
  readonly places: readonly Place[]
}

/** Where a port of the specification listens: Gateway, port, address, port there. */
export type Place = readonly [gateway: string, port: number, address: string, listenPort: number]

/** By Gateway. */
export type Results = readonly (readonly [gateway: string, result: GatewayResult])[]

export interface Answers {
  readonly metrics: readonly CollectedFamily[]
  readonly pools: readonly PoolState[]
}

export type FromWorker =
  /** Answers to 'config'. */
  | { readonly kind: 'serves'; readonly number: number; readonly results: Results }
  | { readonly kind: 'cannot-serve'; readonly number: number; readonly reason: string }
  /** What became of the configuration has changed: a port could be opened at last. */
  | { readonly kind: 'report'; readonly results: Results }
  /** Wants connections of this socket; `name` is the same in every worker that wants the same one. */
  | { readonly kind: 'listen'; readonly id: number; readonly name: string; readonly address: string; readonly port: number }
  | { readonly kind: 'close'; readonly id: number }
  /** Connections that have come from the main process, and those that are open. */
  | { readonly kind: 'load'; readonly received: number; readonly open: number }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: Answers[keyof Answers] }
  | {
      readonly kind: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>>
    }
  /** Whole lines of the access log. The next ones follow after 'lines-taken'. */
  | { readonly kind: 'lines'; readonly text: string }
  | { readonly kind: 'pong' }
