/** Every object that a pass judges, each through the memo: one function for each group of kinds. */
import type { KeyMaterial } from '../config/key-material.ts'
import type { Finding } from '../api/finding.ts'
import type { Gateway, GatewayClass, ListenerSet } from '../api/gateway.ts'
import type { ApiObject } from '../api/object.ts'
import type { GrpcRoute, HttpRoute, Route } from '../api/route.ts'
import type { XBackend } from '../api/x-backend.ts'
import { compareObjects } from '../cluster/order.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { classOf, isOurs, type ClassResult } from './gateway-class.ts'
import { gatewayOf, type GatewayPart, type GatewayResult } from './gateway.ts'
import { grpcRouteOf } from './grpc-route.ts'
import { httpRouteOf } from './http-route.ts'
import { keep } from './keep.ts'
import { listenerSetOf, type ListenerSetResult } from './listener-set.ts'
import type { Inputs, Memo } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { optionFindings } from './policy-options.ts'
import { targetFindings, type TargetingPolicy } from './policy-targets.ts'
import type { RouteResult } from './route.ts'
import { streamRouteOf } from './stream-route.ts'
import type { LoadedCertificate } from './tls.ts'
import { type JudgedXBackend, judgeXBackend } from './x-backend.ts'

export function judgeClasses(snapshot: Snapshot, options: TranslateOptions, memo: Memo): readonly ClassResult[] {
  const classes = snapshot.all('GatewayClass').filter((gatewayClass) => isOurs(gatewayClass, options))
  return memo.each<GatewayClass, ClassResult>('GatewayClass', objects(classes), (gatewayClass, read, last) =>
    keep(last, classOf(read, gatewayClass, options)),
  )
}

/** From here on `Reader.surface` knows the Gateways of ours. */
export function judgeGateways(
  snapshot: Snapshot,
  options: TranslateOptions,
  memo: Memo,
): { readonly gateways: readonly GatewayResult[]; readonly ours: readonly GatewayPart[] } {
  const gateways = memo.each<Gateway, GatewayResult>('Gateway', objects(snapshot.all('Gateway')), (gateway, read, last) =>
    gatewayOf(read, options, gateway, last),
  )
  const ours = gateways.flatMap((gateway) => (gateway.kind === 'ours' ? [gateway] : []))
  const surfaces = gateways.flatMap((gateway) => (gateway.kind === 'foreign' ? [] : [gateway.surface]))
  memo.publish('Gateway', surfaces)
  return { gateways, ours }
}

export function judgeListenerSets(snapshot: Snapshot, memo: Memo): readonly ListenerSetResult[] {
  return memo.each<ListenerSet, ListenerSetResult>('ListenerSet', objects(snapshot.all('ListenerSet')), (set, read, last) =>
    listenerSetOf(read, set, last),
  )
}

export function judgeXBackends(snapshot: Snapshot, memo: Memo): readonly JudgedXBackend[] {
  return memo.each<XBackend, JudgedXBackend>('XBackend', objects(snapshot.all('XBackend')), (backend, read) => judgeXBackend(read, backend))
}

/** What there is to say of a policy whether a Gateway leads to it or not; its status is another matter. */
export interface JudgedPolicy {
  readonly findings: readonly Finding[]
}

export function judgePolicies(snapshot: Snapshot, memo: Memo): readonly (readonly JudgedPolicy[])[] {
  const ofKind = (kind: TargetingPolicy['kind']) =>
    memo.each<TargetingPolicy, JudgedPolicy>(kind, objects<TargetingPolicy>(snapshot.all(kind)), (policy, read, last) =>
      keep(last, { findings: [...targetFindings(read, policy), ...optionFindings(policy)] }),
    )
  return [ofKind('BackendTLSPolicy'), ofKind('XBackendTrafficPolicy'), ofKind('XTelemetryPolicy')]
}

/** By kind. Unchanged arrays stay the same. */
export type RouteResults = { readonly [K in Route['kind']]: readonly RouteResult[] }

export function judgeRoutes(snapshot: Snapshot, options: TranslateOptions, memo: Memo): RouteResults {
  const streams = <R extends Exclude<Route, HttpRoute | GrpcRoute>>(routes: readonly R[], kind: R['kind']) =>
    memo.each<R, RouteResult>(kind, objects(routes), (route, read, last) => streamRouteOf(read, options, route, last))
  return {
    HTTPRoute: memo.each<HttpRoute, RouteResult>('HTTPRoute', objects(snapshot.all('HTTPRoute')), (route, read, last) =>
      httpRouteOf(read, options, route, last),
    ),
    GRPCRoute: memo.each<GrpcRoute, RouteResult>('GRPCRoute', objects(snapshot.all('GRPCRoute')), (route, read, last) =>
      grpcRouteOf(read, options, route, last),
    ),
    TLSRoute: streams(snapshot.all('TLSRoute'), 'TLSRoute'),
    TCPRoute: streams(snapshot.all('TCPRoute'), 'TCPRoute'),
    UDPRoute: streams(snapshot.all('UDPRoute'), 'UDPRoute'),
  }
}

function objects<O extends ApiObject>(sorted: readonly O[]): Inputs<O> {
  return { sorted, compare: compareObjects }
}

/** Keys of the certificates that are served, and of those that backends themselves want to be `shown`. */
export function keysOf(gateways: readonly GatewayPart[], shown: readonly LoadedCertificate[], last: KeyMaterial | undefined): KeyMaterial {
  const all = [...gateways.flatMap(({ certificates }) => certificates), ...shown]
  const keys: KeyMaterial = new Map(all.map(({ certificate, key }) => [certificate.fingerprint, key]))
  const same = last !== undefined && last.size === keys.size && [...keys].every(([fingerprint, key]) => last.get(fingerprint) === key)
  return same ? last : keys
}
