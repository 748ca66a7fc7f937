/** An answer of the API server that is no success. */
export class ApiProblem extends Error {
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

export function notFound(message: string): ApiProblem {
  return new ApiProblem(404, 'NotFound', message)
}

/** `retryAfter` in seconds. */
export function statusObject({ status, reason, message }: Pick<ApiProblem, 'status' | 'reason' | 'message'>, retryAfter?: number): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code: status,
    ...(retryAfter === undefined ? {} : { details: { retryAfterSeconds: retryAfter } }),
  }
}
