/** Statuses of gRPC for answers of our own. */
import type { FieldList } from '../http1/field-list.ts'
import type { Answer } from '../http/answers.ts'

/** Codes of gRPC (doc/statuscodes.md of its specification). */
export const grpcStatus = {
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

const STATUS = /^(?:\d|1[0-6])$/

/** `grpc-status` as its client reads it: what is no code is UNKNOWN; undefined when there is none. */
export function grpcStatusIn(fields: FieldList): number | undefined {
  const status = fields.get('grpc-status')
  if (status === undefined) return undefined
  return STATUS.test(status) ? Number(status) : grpcStatus.unknown
}

/** What an answer of ours means in gRPC: its mapping of HTTP's codes, and UNAVAILABLE for backends that cannot be used (GRPCRouteRule.backendRefs). */
export function grpcStatusOf({ status, flag, grpcStatus: known }: Answer): number {
  if (known !== undefined) return known
  if (flag === 'no-backend' || flag === 'bad-backend') return grpcStatus.unavailable
  switch (status) {
    case 400:
    case 500:
      return grpcStatus.internal
    case 401:
      return grpcStatus.unauthenticated
    case 403:
      return grpcStatus.permissionDenied
    case 404:
    case 501:
      return grpcStatus.unimplemented
    case 413:
    case 431:
      return grpcStatus.resourceExhausted
    case 429:
    case 502:
    case 503:
    case 504:
      return grpcStatus.unavailable
    default:
      return grpcStatus.unknown
  }
}
