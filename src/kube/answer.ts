/** What the API server answers, and answers that are no success as errors. */
import { KubeError } from './kube-error.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

interface StatusObject {
  readonly reason?: unknown
  readonly message?: unknown
  readonly details?: { readonly retryAfterSeconds?: unknown }
}

/** `doing` completes "Cannot ...": `list HTTPRoute objects`. */
export function errorOf(doing: string, { status, headers, text }: Answer): KubeError {
  return statusError(doing, status, parsedOrEmpty(text), headers['retry-after'])
}

/** `object` is a Status of the API (apimachinery, metav1.Status), as an answer or in an ERROR event. */
export function statusError(doing: string, status: number, object: StatusObject, header?: string | string[]): KubeError {
  const reason = typeof object.reason === 'string' && object.reason !== '' ? object.reason : `Status${status}`
  const message = typeof object.message === 'string' && object.message !== '' ? `: ${object.message}` : ''
  const seconds = Number(header ?? object.details?.retryAfterSeconds)
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined
  const detail = { status, reason, ...(retryAfter !== undefined && { retryAfter }) }
  return new KubeError(`Cannot ${doing}: the API server answered ${status} ${reason}${message}`, detail)
}

function parsedOrEmpty(text: string): StatusObject {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
