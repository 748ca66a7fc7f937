/** Where log lines go without ever blocking the process: standard streams and files, all written by Node's thread pool. */
import { createWriteStream } from 'node:fs'
import type { LogStream } from './access-log.ts'

/**
 * @param target a path, or 1 or 2 for a standard stream. `process.stdout` itself would block on a pipe whose reader is slow.
 * @param failed hears of each write that failed; what was to be written is lost
 */
export function openLogFile(target: string | 1 | 2, failed: (error: Error) => void): LogStream {
  const stream =
    typeof target === 'number' ? createWriteStream('', { fd: target, autoClose: false }) : createWriteStream(target, { flags: 'a' })
  return stream.on('error', failed)
}
