/** What the API server refused, or why it could not be asked. */

export interface KubeErrorDetail {
  /** The HTTP status; 0 when no answer came. */
  readonly status: number
  /** The API's machine-readable word: `Conflict`, `AlreadyExists`, `Expired` ... */
  readonly reason: string
  /** Milliseconds that the server asks to wait before the next try. */
  readonly retryAfter?: number
}

export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly status: number
  readonly reason: string
  readonly retryAfter: number | undefined

  constructor(message: string, { status, reason, retryAfter }: KubeErrorDetail, options?: ErrorOptions) {
    super(message, options)
    this.status = status
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

export function isKubeError(error: unknown, status: number): error is KubeError {
  return error instanceof KubeError && error.status === status
}
