import { AccessLog } from '../telemetry/access-log.ts'
import { openLogFile } from '../telemetry/log-file.ts'
import type { Logger } from '../telemetry/logger.ts'

export type AccessLogFormat = 'off' | 'text' | 'json'

/** On standard error: what a command says on standard output is not to be torn by requests. */
export function openAccessLog(format: AccessLogFormat, logger: Logger): AccessLog | undefined {
  if (format === 'off') return undefined
  return new AccessLog({
    format,
    stream: openLogFile(2, (error) => logger.warn('the access log could not be written', { reason: error.message })),
  })
}
