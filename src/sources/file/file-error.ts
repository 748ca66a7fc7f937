/** What a person meets when a path cannot be read at all: one line, and a code for the exit status. */

export type FileErrorCode = 'no-such-path' | 'no-permission' | 'not-readable' | 'nothing-found'

export class FileError extends Error {
  override readonly name = 'FileError'
  readonly code: FileErrorCode

  constructor(code: FileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `doing` completes "Cannot ...": `read ./manifests`. */
export function fileErrorOf(error: unknown, doing: string): FileError {
  const code = errorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new FileError('no-such-path', `Cannot ${doing}: there is no such file or folder`, { cause: error })
  if (code === 'EACCES' || code === 'EPERM') return new FileError('no-permission', `Cannot ${doing}: permission denied`, { cause: error })
  return new FileError('not-readable', `Cannot ${doing}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
