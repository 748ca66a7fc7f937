/** What makes a request a gRPC request: its content type, whatever the HTTP version ("gRPC over HTTP/2", Requests: `application/grpc` with `+` and a format, or parameters). */
import type { RequestView } from './router.ts'

const grpcType = /^application\/grpc(?:$|[+; \t])/i

/** False for gRPC-Web, which is another protocol (`application/grpc-web`). */
export function isGrpc(request: RequestView): boolean {
  const type = request.header('content-type')
  return type !== undefined && grpcType.test(type)
}
