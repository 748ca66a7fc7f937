/** Which routes the overlay looks at for what: an array that nothing changed stays the same. */
import type { GrpcRoute, HttpRoute, Route, TlsRoute } from '../api/route.ts'
import type { Snapshot } from '../cluster/snapshot.ts'

export type RequestRoute = HttpRoute | GrpcRoute

/** Those whose requests a development Gateway would serve. */
export function requestRoutes(snapshot: Snapshot): readonly RequestRoute[] {
  return together<RequestRoute>(snapshot.all('HTTPRoute'), snapshot.all('GRPCRoute'))
}

/** Those that have hostnames. */
export function namedRoutes(snapshot: Snapshot): readonly (RequestRoute | TlsRoute)[] {
  return together<RequestRoute | TlsRoute>(requestRoutes(snapshot), snapshot.all('TLSRoute'))
}

/** All of them: an echo backend answers whatever a route sends. */
export function allRoutes(snapshot: Snapshot): readonly Route[] {
  const streams = [snapshot.all('TLSRoute'), snapshot.all('TCPRoute'), snapshot.all('UDPRoute')].flat()
  return together<Route>(requestRoutes(snapshot), streams)
}

function together<R>(first: readonly R[], second: readonly R[]): readonly R[] {
  return second.length === 0 ? first : [...first, ...second]
}
