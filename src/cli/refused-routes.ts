/** Routes that a parent did not accept: the first suspects when a request gets a 404. */
import type { Route } from '../api/route.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { covers } from '../lib/hostname.ts'
import type { StatusOf } from '../translate/translation.ts'

export interface Refused {
  /** `HTTPRoute/namespace/name` */
  readonly route: string
  /** Empty: any. */
  readonly hostnames: readonly string[]
  readonly parent: string
  readonly reason: string
  readonly message: string
}

export function refusedRoutes<S extends StatusOf>(hostnamesOf: (status: S) => readonly string[], statuses: readonly S[]): Refused[] {
  return statuses.flatMap((status) => {
    if (!('parents' in status.status)) return []
    return status.status.parents.flatMap(({ parentRef, conditions = [] }) =>
      conditions
        .filter(({ type, status: verdict }) => type === 'Accepted' && verdict === 'False')
        .map(({ reason, message }) => ({
          route: `${status.kind}/${status.namespace}/${status.name}`,
          hostnames: hostnamesOf(status),
          parent: `${parentRef.kind === 'ListenerSet' ? 'ListenerSet ' : ''}${parentRef.namespace ?? status.namespace}/${parentRef.name}${parentRef.sectionName === undefined ? '' : `/${parentRef.sectionName}`}`,
          reason,
          message,
        })),
    )
  })
}

/** Those that would be asked for this host, the ones that name it most exactly first. */
export function refusedFor(refused: readonly Refused[], host: string): Refused[] {
  const rank = ({ hostnames }: Refused): number => (hostnames.includes(host) ? 0 : hostnames.length > 0 ? 1 : 2)
  return refused
    .filter(({ hostnames }) => hostnames.length === 0 || hostnames.some((hostname) => covers(hostname, host)))
    .sort((a, b) => rank(a) - rank(b))
}

export function routeHostnames(route: Route | undefined): readonly string[] {
  return route !== undefined && 'hostnames' in route.spec ? route.spec.hostnames.map((hostname) => hostname.toLowerCase()) : []
}

const routeKinds: readonly Route['kind'][] = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute']

/** The object that a status is of, when it is a route. */
export function routeOf(objects: Snapshot, { kind, namespace, name }: StatusOf): Route | undefined {
  const routeKind = routeKinds.find((one) => one === kind)
  return routeKind && objects.get(routeKind, namespace, name)
}
