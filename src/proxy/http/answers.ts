/**
 * Every answer that the gateway gives itself. Its flag tells the log and the client why it was ours; nothing of the
 * configuration is told to strangers.
 */
import type { CompiledEdit } from '../../routing/router.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'

export interface Answer {
  readonly status: number
  readonly flag: AnswerFlag
  /** Type of the filter that gives it, as the API calls it; absent: none did. */
  readonly filter?: string
  /** Absolute URL of a redirect; '' for none. A byte string. */
  readonly location: string
  /** Further fields, byte strings. */
  readonly fields?: readonly CompiledEdit[]
  /** A byte string; without it the body says status and flag. */
  readonly body?: string
  /** What it is in gRPC, where its status does not tell. */
  readonly grpcStatus?: number
}

export function answer(status: number, flag: AnswerFlag): Answer {
  return { status, flag, location: '' }
}

export const misdirected: Answer = answer(421, 'misdirected')
export const noListener: Answer = answer(404, 'no-listener')
export const noRoute: Answer = answer(404, 'no-route')
export const badPath: Answer = answer(400, 'bad-request')
export const noBackend: Answer = answer(500, 'no-backend')
export const badBackend: Answer = answer(500, 'bad-backend')
export const noEndpoint: Answer = answer(503, 'no-endpoint')
export const overload: Answer = answer(503, 'overload')
/** "Additional retries to the backend MUST return a 503 response to the client" (RetryConstraint). */
export const retryBudget: Answer = answer(503, 'retry-budget')
export const connectFailed: Answer = answer(502, 'connect-failed')
export const connectTimeout: Answer = answer(504, 'connect-failed')
export const upstreamTimeout: Answer = answer(504, 'upstream-timeout')
export const upstreamClosed: Answer = answer(502, 'upstream-closed')
export const upstreamProtocol: Answer = answer(502, 'upstream-protocol')
export const authFailed: Answer = { ...answer(503, 'auth-failed'), filter: 'ExternalAuth' }
export const authTimeout: Answer = { ...answer(504, 'auth-failed'), filter: 'ExternalAuth' }
/** HTTPExternalAuthFilter.forwardBody: "bodies over that size must be rejected with a 4xx series error". */
export const authBodyTooLarge: Answer = { ...answer(413, 'auth-body'), filter: 'ExternalAuth' }
/** RFC 9110, section 15.5.14. */
export const bodyTooLarge: Answer = answer(413, 'body-too-large')
export const headTimeout: Answer = answer(408, 'head-timeout')
export const bodyTimeout: Answer = answer(408, 'body-timeout')
export const brokenBody: Answer = answer(400, 'bad-request')
/** For a client that is only half gone: its body broke off, but it may still listen. */
export const clientGone: Answer = answer(400, 'client-gone')

/** A filter of this type cannot be served. */
export function badFilter(filter: string): Answer {
  return { ...answer(500, 'bad-filter'), filter }
}

/** '' for statuses that have none. */
export function answerBody({ status, flag, body }: Answer, requestId: string): string {
  if (status === 204 || status === 205 || status === 304) return ''
  return body ?? `${status} ${flag}\nrequest ${requestId}\n`
}

/** To a client whose request an upstream failed. */
export function answerTo(failure: UpstreamFailure): Answer {
  switch (failure) {
    case 'connect-refused':
    case 'connect-tls':
    case 'connect-http2':
      return connectFailed
    case 'connect-timeout':
      return connectTimeout
    case 'refused':
    case 'closed':
      return upstreamClosed
    case 'protocol':
      return upstreamProtocol
    case 'timeout':
      return upstreamTimeout
  }
}
