/** What makes a request a gRPC request: its content type, whatever the HTTP version ("gRPC over HTTP/2", Requests: `application/grpc` with `+` and a format, or parameters). */
import type { RequestView } from './router.ts'

const grpcType = /^application\/grpc(?:$|[+; \t])/i

/** False for gRPC-Web, which is another protocol (`application/grpc-web`). */
export function isGrpc(request: RequestView): boolean {
  return isGrpcType(request.header('content-type'))
}

/** The same of an answer's content type. */
export function isGrpcType(type: string | undefined): boolean {
  return type !== undefined && grpcType.test(type)
}
