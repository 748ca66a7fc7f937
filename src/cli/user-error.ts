/** A mistake that a person can mend: shown as its message alone, never with a stack trace unless `--debug`. */
export class UserError extends Error {
  /** 1: problems found, 2: wrong usage. */
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'UserError'
    this.exitCode = exitCode
  }
}
