/** A Gateway or ListenerSet of ours as routes see it: what decides about attachment, and nothing else, so that a renewed certificate touches no route. */
import type { AllowedRoutes } from '../api/gateway.ts'
import type { ListenerKey } from '../config/listener.ts'

export interface GatewaySurface {
  readonly kind: 'Gateway' | 'ListenerSet'
  /** `namespace/name` of the Gateway that serves the listeners: this one, or the parent of the set. */
  readonly gateway: string
  readonly namespace: string
  readonly name: string
  /** Of the GatewayClass: what the status of a route names as its author. */
  readonly controllerName: string
  /** Why the Gateway does not take the ListenerSet, in a sentence; then there are no listeners here. */
  readonly refused?: string
  readonly listeners: readonly ListenerSurface[]
}

export interface ListenerSurface {
  readonly key: ListenerKey
  readonly name: string
  readonly port: number
  readonly protocol: string
  /** TLS is not ended here. */
  readonly passthrough: boolean
  /** Lower case; '' for any host. */
  readonly hostname: string
  readonly allowedRoutes: AllowedRoutes
  /** Kinds of routes that may attach: those of the protocol that are served, narrowed by `allowedRoutes.kinds`. */
  readonly routeKinds: readonly string[]
  /** False: routes attach and are counted, but nothing is served. */
  readonly serves: boolean
}

/** For messages: `Gateway namespace/name`. */
export function ownerInWords({ kind, namespace, name }: Pick<GatewaySurface, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace}/${name}`
}
