/** What is to be made for one Gateway: translate's plan, and what only the cluster knows. */
import type { ParametersSpec } from '../api/parameters.ts'

export interface GatewayPlan {
  /** `namespace/name` */
  readonly gateway: string
  readonly namespace: string
  /** Of everything that is made: Deployment, Service, ServiceAccount ... */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: 'TCP' | 'UDP' }[]
  /** What is asked for, and the name of the Service that asks for it. None: the Service `name` takes what it gets. */
  readonly addresses: readonly { readonly type: string; readonly value?: string; readonly service: string }[]
  readonly parameters?: ParametersSpec
}

/** The Gateway as an owner: what is made for it goes with it. */
export interface PlanOwner {
  readonly name: string
  readonly uid: string
}

/** The same for all Gateways of a controller. */
export interface InfraSettings {
  /** Image of the proxies. */
  readonly image: string
  /** `host:port` where the controllers' configuration stream is reached. */
  readonly controller: string
  readonly defaults: ParametersSpec
}
