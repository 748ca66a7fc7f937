/** Where log lines go without ever blocking the process: standard output and files, both written by Node's thread pool. */
import { createWriteStream } from 'node:fs'
import type { LogStream } from './access-log.ts'

/**
 * @param path `-` for standard output. `process.stdout` itself would block on a pipe whose reader is slow.
 * @param failed hears of each write that failed; what was to be written is lost
 */
export function openLogFile(path: string, failed: (error: Error) => void): LogStream {
  const stream = path === '-' ? createWriteStream('', { fd: 1, autoClose: false }) : createWriteStream(path, { flags: 'a' })
  return stream.on('error', failed)
}
