/** Why an object of a Gateway could not be made, in words for a person. */
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../kube/kube-api.ts'
import { KubeError } from '../kube/kube-error.ts'

export interface InfraFailure {
  /**
   * Invalid: refused, somebody must change something. NoResources: a quota is used up. Pending: it may pass by itself.
   * These are reasons of the condition Programmed (Gateway API v1, GatewayConditionReason).
   */
  readonly reason: 'Invalid' | 'NoResources' | 'Pending'
  readonly message: string
}

export function failureOf({ kind, metadata: { namespace = '', name } }: KubeObject, error: Error): InfraFailure {
  // That of the API server names the object itself.
  const message = error instanceof KubeError ? error.message : `Cannot make ${kind} ${namespace}/${name}: ${error.message}`
  return { reason: reasonOf(error), message: message.trim().replace(/\.$/, '') }
}

function reasonOf(error: Error): InfraFailure['reason'] {
  if (!(error instanceof KubeError)) return 'Invalid'
  const { status, message } = error
  // What is not in the schema is no better the next time, whatever the status says (server-side apply).
  if (status === 500 && message.includes('failed to create typed patch object')) return 'Invalid'
  if (status === 403 && message.includes('exceeded quota')) return 'NoResources'
  const isRefused = status >= 400 && status < 500 && ![401, 408, 409, 429].includes(status)
  return isRefused ? 'Invalid' : 'Pending'
}

/** Words of which only numbers differ (versions, times) say the same: a status need not be written again for them. */
export function isSameFailure(a: InfraFailure | undefined, b: InfraFailure): boolean {
  return a !== undefined && isDeepStrictEqual(withoutNumbers(a), withoutNumbers(b))
}

function withoutNumbers({ reason, message }: InfraFailure): InfraFailure {
  return { reason, message: message.replaceAll(/[0-9a-f-]*\d[0-9a-f-]*/g, '#') }
}
