/** Until when a gRPC call is awaited ("gRPC over HTTP/2", Requests: `grpc-timeout`). */
import type { CompiledRule } from '../../routing/router.ts'
import type { FieldList } from '../http1/field-list.ts'

const TIMEOUT = /^(\d{1,8})([HMSmun])$/
const MILLISECONDS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }
/** A value has eight digits at the most. */
const mostDigits = 99_999_999

/** `grpc-timeout` in milliseconds, at least 1; undefined when there is none or it is none. */
export function grpcTimeout(fields: FieldList): number | undefined {
  const [, digits = '', unit = ''] = TIMEOUT.exec(fields.get('grpc-timeout') ?? '') ?? []
  if (digits === '') return undefined
  return Math.max(1, Math.ceil(Number(digits) * (MILLISECONDS[unit] ?? 0)))
}

/** A backend is told of no later deadline than the one at which its call is cut off here. A time of 0 is none. */
export function shortenDeadline(fields: FieldList, { requestTimeout, backendRequestTimeout }: CompiledRule): void {
  const limit = Math.min(requestTimeout || Infinity, backendRequestTimeout || Infinity)
  if (limit === Infinity || (grpcTimeout(fields) ?? 0) <= limit) return
  fields.set('grpc-timeout', 'grpc-timeout', limit > mostDigits ? `${Math.floor(limit / 1_000)}S` : `${Math.ceil(limit)}m`)
}
