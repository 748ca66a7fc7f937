/** Every object that a pass judges, each through the memo: one function for each group of kinds. */
import type { KeyMaterial } from '../config/key-material.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { classOf, isOurs, type ClassResult } from './gateway-class.ts'
import { gatewayOf, type GatewayPart, type GatewayResult } from './gateway.ts'
import { httpRouteOf } from './http-route.ts'
import { listenerSetStatus } from './listener-set.ts'
import type { Memo } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import type { RouteResult } from './route.ts'
import type { StatusOf } from './translation.ts'
import { unservedRouteOf } from './unserved-route.ts'

export function judgeClasses(snapshot: Snapshot, options: TranslateOptions, memo: Memo): readonly ClassResult[] {
  return snapshot
    .all('GatewayClass')
    .filter((gatewayClass) => isOurs(gatewayClass, options))
    .map((gatewayClass) => memo.compute(`GatewayClass/${gatewayClass.metadata.name}`, gatewayClass, () => classOf(gatewayClass, options)))
}

/** From here on `Reader.gateway` knows the Gateways of ours. */
export function judgeGateways(
  snapshot: Snapshot,
  options: TranslateOptions,
  memo: Memo,
): { readonly gateways: readonly GatewayResult[]; readonly ours: readonly GatewayPart[] } {
  const gateways = snapshot
    .all('Gateway')
    .map((gateway) =>
      memo.compute<GatewayResult>(`Gateway/${gateway.metadata.namespace}/${gateway.metadata.name}`, gateway, (read, last) =>
        gatewayOf(read, options, gateway, last),
      ),
    )
  const ours = gateways.flatMap((gateway) => (gateway.kind === 'ours' ? [gateway] : []))
  memo.publishGateways(new Map(ours.map(({ surface }) => [`${surface.namespace}/${surface.name}`, surface])))
  return { gateways, ours }
}

export function judgeListenerSets(snapshot: Snapshot, memo: Memo): readonly StatusOf[] {
  return snapshot.all('ListenerSet').flatMap((set) => listenerSetStatus(memo, set))
}

export function judgeRoutes(snapshot: Snapshot, options: TranslateOptions, memo: Memo): readonly RouteResult[] {
  const http = snapshot
    .all('HTTPRoute')
    .map((route) =>
      memo.compute<RouteResult>(`HTTPRoute/${route.metadata.namespace}/${route.metadata.name}`, route, (read, last) =>
        httpRouteOf(read, options, route, last),
      ),
    )
  const unserved = [...snapshot.all('GRPCRoute'), ...snapshot.all('TLSRoute'), ...snapshot.all('TCPRoute'), ...snapshot.all('UDPRoute')]
  return http.concat(
    unserved.map((route) =>
      memo.compute<RouteResult>(`${route.kind}/${route.metadata.namespace}/${route.metadata.name}`, route, (read, last) =>
        unservedRouteOf(read, options, route, last),
      ),
    ),
  )
}

/** Keys of the certificates that are served. */
export function keysOf(gateways: readonly GatewayPart[], last: KeyMaterial | undefined): KeyMaterial {
  const keys: KeyMaterial = new Map(
    gateways.flatMap(({ certificates }) => certificates.map(({ certificate, key }) => [certificate.fingerprint, key])),
  )
  const same = last !== undefined && last.size === keys.size && [...keys].every(([fingerprint, key]) => last.get(fingerprint) === key)
  return same ? last : keys
}
