/** The routes whose requests the overlay helps to an answer: those that an echo backend can answer. */
import type { GrpcRoute, HttpRoute } from '../api/route.ts'
import type { Snapshot } from '../cluster/snapshot.ts'

export type RequestRoute = HttpRoute | GrpcRoute

export function requestRoutes(snapshot: Snapshot): readonly RequestRoute[] {
  const [http, grpc] = [snapshot.all('HTTPRoute'), snapshot.all('GRPCRoute')]
  return grpc.length === 0 ? http : [...http, ...grpc]
}
