/** What became of a configuration: where it is served, and what of it is not, in words for a person. */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerKey } from '../config/listener.ts'
import type { FailedPort, OpenPort } from '../lib/served-ports.ts'
import type { Plan, PortPlan } from './listener/plan.ts'

/** By `namespace/name`; every Gateway that was applied is here. */
export type ApplyReport = ReadonlyMap<string, GatewayReport>

export interface GatewayReport {
  /** Where the ports of the specification listen. */
  readonly ports: readonly OpenPort[]
  /** Ports of the specification that do not serve, in words for a person. Each is tried again every second. */
  readonly failedPorts: readonly FailedPort[]
  /** Listeners with a certificate that cannot be used; they serve with the others, or with what they had before. */
  readonly failedListeners: readonly { readonly listener: ListenerKey; readonly message: string }[]
}

export interface Outcome {
  readonly configs: readonly GatewayConfig[]
  readonly plan: Plan
  /** By key of the planned port. */
  readonly open: ReadonlyMap<string, { readonly listenPort: number }>
  /** Why a planned port could not be opened, by its key. */
  readonly closed: ReadonlyMap<string, string>
  /** Listeners that can end TLS. */
  readonly tlsListeners: ReadonlyMap<ListenerKey, unknown>
  readonly tlsFailures: ReadonlyMap<ListenerKey, string>
}

export function reportOf({ configs, plan, open, closed, tlsListeners, tlsFailures }: Outcome): ApplyReport {
  /** Why no listener of a TLS port can serve. */
  function withoutTls({ kind, listeners }: PortPlan): string | undefined {
    if (kind !== 'tls' || listeners.some(({ key, tls }) => tls?.kind === 'passthrough' || tlsListeners.has(key))) return undefined
    return listeners.map(({ key }) => tlsFailures.get(key)).find((message) => message !== undefined)
  }

  function gatewayReport({ gateway, listeners }: GatewayConfig): GatewayReport {
    const planned = plan.ports.filter((one) => one.gateway === gateway)
    const unplanned = plan.failures
      .filter((one) => one.gateway === gateway)
      .map(({ port, transport, message }) => ({ port, transport, message }))
    return {
      ports: planned.flatMap(({ key, port, transport, address }) => {
        const listenPort = open.get(key)?.listenPort
        return listenPort === undefined ? [] : [{ port, transport, address, listenPort }]
      }),
      failedPorts: planned.reduce<readonly FailedPort[]>((failed, one) => {
        const message = closed.get(one.key) ?? withoutTls(one)
        return message === undefined ? failed : [...failed, { port: one.port, transport: one.transport, message }]
      }, unplanned),
      failedListeners: listeners.flatMap(({ key }) => {
        const message = tlsFailures.get(key)
        return message === undefined ? [] : [{ listener: key, message }]
      }),
    }
  }

  return new Map(configs.map((config) => [config.gateway, gatewayReport(config)]))
}
